// SPDX-License-Identifier: Apache-2.0
/* The machine's firmware: hands frames to the link and sleeps when there is nothing to do. */
#include "link.h"
#include "core.h"
#include "devices.h"
#include "machine.h"

/* A frame and its check fill a buffer at most. */
static union {
    struct frame frame;
    uint8_t bytes[FRAME_BYTES];
} buffers[FRAME_SLOTS] __attribute__((aligned(FRAME_BYTES)));
static struct link link;

uint32_t machine_cycle(void)
{
    return MACHINE_CYCLE;
}

void machine_core_write(uint32_t address, uint32_t value)
{
    *(volatile uint32_t *)(CORE_BASE + address) = value;
}

uint32_t machine_core_read(uint32_t address)
{
    return *(volatile uint32_t *)(CORE_BASE + address);
}

uint32_t machine_take(uint32_t *words, uint32_t most)
{
    uint32_t count = MACHINE_ANSWERS;
    if (count > most)
        count = most;
    for (uint32_t i = 0; i < count; i++)
        words[i] = MACHINE_ANSWER;
    return count;
}

uint32_t machine_identity(uint32_t *words)
{
    words[LINK_IDENTITY_PROTOCOL] = LINK_VERSION;
    words[LINK_IDENTITY_FIRMWARE] = FIRMWARE_VERSION;
    words[LINK_IDENTITY_MACHINE] = MACHINE_MAP_VERSION;
    words[LINK_IDENTITY_RESET_CAUSE] = MACHINE_RESET_CAUSE;
    words[LINK_IDENTITY_CLOCK] = MACHINE_CLOCK;
    words[LINK_IDENTITY_UART] = MACHINE_UART;
    uint32_t n = LINK_IDENTITY_WORDS;
    for (uint32_t address = 0; address < CORE_CONSTANTS; address += LINK_WORD_BYTES)
        words[n++] = machine_core_read(address);
    return n;
}

extern uint32_t stack_low[], stack_high[];

/* Words of the stack that were never written: start.S painted them. */
static uint32_t stack_free(void)
{
    uint32_t n = 0;
    while (stack_low + n < stack_high && stack_low[n] == STACK_PAINT)
        n++;
    return LINK_WORD_BYTES * n;
}

uint32_t machine_status(uint32_t *words)
{
    words[LINK_TELLS_CYCLE] = MACHINE_CYCLE;
    words[LINK_TELLS_RECEIVED] = MACHINE_RECEIVED;
    words[LINK_TELLS_BAD_CHECK] = MACHINE_BAD_CHECK;
    words[LINK_TELLS_BAD_FORM] = MACHINE_BAD_FORM;
    words[LINK_TELLS_BAD_ROOM] = MACHINE_BAD_ROOM;
    words[LINK_TELLS_BAD_STOP] = MACHINE_BAD_STOP;
    words[LINK_TELLS_RESET_CAUSE] = MACHINE_RESET_CAUSE;
    words[LINK_TELLS_STACK_FREE] = stack_free();
    return LINK_TELLS_WORDS;
}

void machine_restart(void)
{
    MACHINE_WATCHDOG = 0;
    for (;;)
        ;
}

int main(void)
{
    MACHINE_FRAMES = (uint32_t)buffers;
    link_start(&link);
    bool held = false; /* the oldest frame was taken, but is still being read */
    uint32_t woke = MACHINE_CYCLE;
    for (;;) {
        bool done = false;
        MACHINE_WATCHDOG = WATCHDOG_CYCLES;
        uint32_t oldest = MACHINE_FRAME;
        uint32_t slot = oldest >> MACHINE_FRAME_SLOT_LSB & 0xFF;
        if (!held && (oldest & 0xFF)) {
            if (link_take(&link, &buffers[slot].frame, oldest >> MACHINE_FRAME_LENGTH_LSB)) {
                held = true;
                done = true;
            }
        }
        done |= link_work(&link, &buffers[slot].frame);
        if (held && !link_holds(&link)) {
            MACHINE_FRAME_POP = 1;
            held = false;
            done = true;
        }
        done |= link_send(&link);
        if (done)
            continue;
        link.figures.awake_cycles += MACHINE_CYCLE - woke;
        devices_sleep(held, link.sending >= 0);
        woke = MACHINE_CYCLE;
    }
}
