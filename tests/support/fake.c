// SPDX-License-Identifier: Apache-2.0
/* What link.c needs of the machine, handed on to Python. */
#include <stddef.h>

#include "link.h"

struct machine {
    uint32_t (*cycle)(void);
    void (*core_write)(uint32_t address, uint32_t value);
    uint32_t (*core_read)(uint32_t address);
    void (*copy)(const uint32_t *words, uint32_t count, bool to_stream, uint32_t address);
    uint32_t (*copy_left)(void);
    void (*copy_stop)(void);
    void (*check_clear)(void);
    uint32_t (*check)(void);
    uint32_t (*take)(uint32_t *words, uint32_t most);
    bool (*sender_busy)(void);
    void (*send)(const struct frame *frame, uint32_t bytes);
    uint32_t (*status)(uint32_t *words);
    uint32_t (*identity)(uint32_t *words);
    void (*restart)(void);
};

struct machine machine;
const size_t link_bytes = sizeof(struct link);

bool holds(const struct link *link)
{
    return link_holds(link);
}

uint32_t machine_cycle(void)
{
    return machine.cycle();
}

void machine_core_write(uint32_t address, uint32_t value)
{
    machine.core_write(address, value);
}

uint32_t machine_core_read(uint32_t address)
{
    return machine.core_read(address);
}

void machine_copy(const uint32_t *words, uint32_t count, bool to_stream, uint32_t address)
{
    machine.copy(words, count, to_stream, address);
}

uint32_t machine_copy_left(void)
{
    return machine.copy_left();
}

void machine_copy_stop(void)
{
    machine.copy_stop();
}

void machine_check_clear(void)
{
    machine.check_clear();
}

uint32_t machine_check(void)
{
    return machine.check();
}

uint32_t machine_take(uint32_t *words, uint32_t most)
{
    return machine.take(words, most);
}

bool machine_sender_busy(void)
{
    return machine.sender_busy();
}

void machine_send(const struct frame *frame, uint32_t bytes)
{
    machine.send(frame, bytes);
}

uint32_t machine_status(uint32_t *words)
{
    return machine.status(words);
}

uint32_t machine_identity(uint32_t *words)
{
    return machine.identity(words);
}

void machine_restart(void)
{
    machine.restart();
}
