// SPDX-License-Identifier: Apache-2.0
/* The machine's copier and sender, and the processor asleep. */
#include "devices.h"
#include "machine.h"

#define WAKE_CYCLES (1u << 20)

void machine_copy(const uint32_t *words, uint32_t count, bool to_stream, uint32_t address)
{
    MACHINE_COPY_SOURCE = (uint32_t)words;
    MACHINE_COPY_TARGET = to_stream ? MACHINE_COPY_TARGET_STREAM : address;
    MACHINE_COPY = count;
}

uint32_t machine_copy_left(void)
{
    return MACHINE_COPY;
}

void machine_copy_stop(void)
{
    MACHINE_COPY_COMMAND = MACHINE_COPY_COMMAND_STOP;
}

void machine_check_clear(void)
{
    MACHINE_COPY_COMMAND = MACHINE_COPY_COMMAND_CLEAR;
}

uint32_t machine_check(void)
{
    return MACHINE_COPY_CHECK;
}

bool machine_sender_busy(void)
{
    return MACHINE_SEND;
}

void machine_send(const struct frame *frame, uint32_t bytes)
{
    MACHINE_SEND_SOURCE = (uint32_t)frame;
    MACHINE_SEND = bytes;
}

void devices_sleep(bool held, bool sending)
{
    MACHINE_TIMER = WAKE_CYCLES;
    MACHINE_TIMER_FLAG = 1;
    MACHINE_WAKE = MACHINE_WAKE_ANSWER | MACHINE_WAKE_TIMER | (held ? MACHINE_WAKE_COPIED : MACHINE_WAKE_FRAME) |
                   (sending ? MACHINE_WAKE_SENT : 0);
    /* waitirq rd: custom-0, funct7 0000100; rd is t0 */
    __asm__ volatile(".word 0x0800428b" ::: "t0", "memory");
}
