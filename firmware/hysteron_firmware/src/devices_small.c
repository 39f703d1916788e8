// SPDX-License-Identifier: Apache-2.0
/* A small machine has no copier and no sender: the processor moves every word and every byte. It never sleeps. */
#include "core.h"
#include "devices.h"
#include "machine.h"

static const uint32_t *source;
static uint32_t left;
static uint32_t check; /* complement of the CRC-32 over the words copied to a register */

/* CRC-32 of Ethernet and zlib, half a byte at a time; check is the complement of the one before and after. */
static uint32_t crc(uint32_t check, uint8_t byte)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    check ^= byte;
    check = check >> 4 ^ table[check & 15];
    return check >> 4 ^ table[check & 15];
}

void machine_copy(const uint32_t *words, uint32_t count, bool to_stream, uint32_t address)
{
    if (to_stream) {
        source = words;
        left = count;
        return;
    }
    const uint8_t *bytes = (const uint8_t *)words;
    for (uint32_t i = 0; i < LINK_WORD_BYTES * count; i++)
        check = crc(check, bytes[i]);
    for (uint32_t i = 0; i < count; i++)
        machine_core_write(address, words[i]);
}

uint32_t machine_copy_left(void)
{
    uint32_t waits;
    while (!(waits = MACHINE_STREAM) && left) {
        MACHINE_STREAM = *source++;
        left--;
    }
    return left + waits;
}

void machine_copy_stop(void)
{
    left = 0;
    MACHINE_COPY_COMMAND = MACHINE_COPY_COMMAND_STOP;
}

void machine_check_clear(void)
{
    check = ~0u;
}

uint32_t machine_check(void)
{
    return ~check;
}

/* The frame is sent when this returns: machine_send waits for the line. */
bool machine_sender_busy(void)
{
    return false;
}

static void put(uint32_t byte)
{
    MACHINE_WATCHDOG = WATCHDOG_CYCLES; /* a slow line takes longer for a frame */
    while (MACHINE_LINE)
        ;
    MACHINE_LINE = byte;
}

/* Stuffs a frame and its check as docs/specification.md, §9.1, says. */
void machine_send(const struct frame *frame, uint32_t bytes)
{
    const uint8_t *content = (const uint8_t *)frame;
    static bool begun;
    if (!begun)
        put(0); /* ends whatever a restart cut short */
    begun = true;
    union {
        uint32_t word;
        uint8_t bytes[LINK_CHECK_BYTES];
    } end = { ~0u };
    for (uint32_t i = 0; i < bytes; i++)
        end.word = crc(end.word, content[i]);
    end.word = ~end.word;
    uint32_t all = bytes + LINK_CHECK_BYTES;
    for (uint32_t begin = 0; begin <= all;) {
        uint32_t i = begin;
        uint8_t byte = 1;
        while (i < all && i < begin + 254 && (byte = i < bytes ? content[i] : end.bytes[i - bytes]))
            i++;
        put(i - begin + 1);
        for (uint32_t k = begin; k < i; k++)
            put(k < bytes ? content[k] : end.bytes[k - bytes]);
        /* A block ends with a 0 that is not sent, unless it is as long as can be or the last. */
        begin = i < all && !byte ? i + 1 : i;
        if (i == all && byte)
            break;
    }
    put(0);
}

void devices_sleep(bool held, bool sending)
{
    (void)held;
    (void)sending;
}
