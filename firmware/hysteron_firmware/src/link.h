// SPDX-License-Identifier: Apache-2.0
/* The device's end of the link: requests in, replies out, every request answered exactly once.
 *
 * Specified in docs/specification.md, §9. Nothing in here touches the hardware: the functions of struct machine do, so
 * the same code runs under the tests on a host. */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol.h"

/* A frame without its check, as it lies in memory; the payload is aligned to words. */
struct frame {
    uint8_t type;
    uint8_t session;
    uint16_t sequence;
    uint32_t payload[LINK_PAYLOAD_WORDS];
};

struct link {
    uint8_t session;      /* 0: none */
    uint16_t expected;    /* sequence number of the next request */
    bool gap_told;        /* the host knows of the gap before the frames that come now */
    bool loading;
    uint32_t loaded;      /* CRC-32 of the network that is loaded and verified, or 1 if that is 0; 0: none */
    /* The request under way that copies words: DATA or LOAD. */
    bool copying;
    uint8_t copy_slot;
    uint16_t copy_at, copy_words; /* LOAD: word of the payload where the next record begins, and words there are */
    uint32_t copy_since, copy_left; /* cycle of the copier's last sign of life, and what was left then */
    /* Replies: one buffer for each request that the host may have under way. */
    struct frame replies[LINK_WINDOW];
    uint16_t reply_bytes[LINK_WINDOW];   /* of the payload */
    uint16_t reply_missing[LINK_WINDOW]; /* answer words that have still to come */
    uint8_t to_send;                     /* a bit for each buffer that is ready and waits for the line */
    uint8_t open;                        /* a bit for each buffer whose reply is not complete */
    uint8_t replied;                     /* a bit for each buffer that holds a reply of this session */
    uint16_t oldest;                     /* first DATA request that may still miss answer words */
    struct frame notice;                 /* what belongs to no request: HELLO's reply, gaps, refusals */
    uint16_t notice_bytes;
    bool notice_waits;
    int8_t sending;                      /* buffer on the line, LINK_WINDOW: the notice, -1: none */
    struct figures figures;
};

/* What the link needs of the machine. */
uint32_t machine_cycle(void);
void machine_core_write(uint32_t address, uint32_t value);
uint32_t machine_core_read(uint32_t address);
void machine_copy(const uint32_t *words, uint32_t count, bool to_stream, uint32_t address);
uint32_t machine_copy_left(void);
void machine_copy_stop(void);
void machine_check_clear(void);
uint32_t machine_check(void);
uint32_t machine_take(uint32_t *words, uint32_t most); /* takes answer words; returns how many there were */
bool machine_sender_busy(void);
void machine_send(const struct frame *frame, uint32_t bytes);
uint32_t machine_status(uint32_t *words); /* the machine's part of STATUS, LINK_TELLS_…; returns how many words */
uint32_t machine_identity(uint32_t *words); /* LINK_IDENTITY_… and the core's constants; returns how many words */
void machine_restart(void);

void link_start(struct link *link);
/* Takes a frame. Returns false if it must be offered again later. */
bool link_take(struct link *link, const struct frame *frame, uint32_t bytes);
/* Goes on with what is under way; current is the frame that was taken last. Returns whether anything was done. */
bool link_work(struct link *link, const struct frame *current);
/* Sends what waits to be sent. Returns whether anything was done. Frames that are not held any more are released
 * before it: where it waits for the line, the host may fill their place as soon as it has the reply. */
bool link_send(struct link *link);
/* The frame that was taken last is still being read. */
static inline bool link_holds(const struct link *link)
{
    return link->copying;
}

#endif
