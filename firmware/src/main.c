/* The machine's firmware: hands frames to the link and sleeps when there is nothing to do. */
#include "link.h"
#include "core.h"
#include "machine.h"

/* Loops of the main loop take far less; a restart is the remedy for whatever hangs it. */
#define WATCHDOG_CYCLES (1u << 24)
#define WAKE_CYCLES (1u << 20)

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

uint32_t machine_take(uint32_t *words, uint32_t most)
{
    uint32_t count = MACHINE_ANSWERS;
    if (count > most)
        count = most;
    for (uint32_t i = 0; i < count; i++)
        words[i] = MACHINE_ANSWER;
    return count;
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

uint32_t machine_identity(uint32_t *words)
{
    uint32_t n = 0;
    words[n++] = LINK_VERSION;
    words[n++] = FIRMWARE_VERSION;
    words[n++] = MACHINE_MAP_VERSION;
    words[n++] = MACHINE_RESET_CAUSE;
    words[n++] = MACHINE_CLOCK;
    words[n++] = MACHINE_UART;
    for (uint32_t address = 0; address < CORE_CONSTANTS; address += 4)
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
    return 4 * n;
}

uint32_t machine_status(uint32_t *words)
{
    uint32_t n = 0;
    words[n++] = MACHINE_CYCLE;
    words[n++] = MACHINE_RECEIVED;
    words[n++] = MACHINE_BAD_CHECK;
    words[n++] = MACHINE_BAD_FORM;
    words[n++] = MACHINE_BAD_ROOM;
    words[n++] = MACHINE_BAD_STOP;
    words[n++] = MACHINE_RESET_CAUSE;
    words[n++] = stack_free();
    return n;
}

void machine_restart(void)
{
    MACHINE_WATCHDOG = 0;
    for (;;)
        ;
}

static void sleep(void)
{
    /* waitirq rd: custom-0, funct7 0000100; rd is t0 */
    __asm__ volatile(".word 0x0800428b" ::: "t0", "memory");
}

int main(void)
{
    MACHINE_FRAMES = (uint32_t)buffers;
    MACHINE_TIMER = WAKE_CYCLES;
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
        if (done)
            continue;
        MACHINE_TIMER_FLAG = 1;
        MACHINE_WAKE = MACHINE_WAKE_ANSWER | MACHINE_WAKE_TIMER | (held ? MACHINE_WAKE_COPIED : MACHINE_WAKE_FRAME) |
                       (link.sending >= 0 ? MACHINE_WAKE_SENT : 0);
        link.figures.awake += MACHINE_CYCLE - woke;
        sleep();
        woke = MACHINE_CYCLE;
    }
}
