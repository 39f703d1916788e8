/* What moves words and frames: devices.c leaves it to the machine's devices, devices_small.c does it by hand. */
#ifndef DEVICES_H
#define DEVICES_H

#include "link.h"

/* Waits until there may be something to do. held: a frame is still being read; sending: one is being sent. */
void devices_sleep(bool held, bool sending);

#endif
