// SPDX-License-Identifier: Apache-2.0
/* What moves words and frames: devices.c leaves it to the machine's devices, devices_small.c does it by hand. */
#ifndef DEVICES_H
#define DEVICES_H

#include "link.h"

/* Loops of the main loop take far less; a restart is the remedy for whatever hangs it. */
#define WATCHDOG_CYCLES (1u << 24)

/* Waits until there may be something to do. held: a frame is still being read; sending: one is being sent. */
void devices_sleep(bool held, bool sending);

#endif
