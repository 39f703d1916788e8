// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include "core.h"

#define BIT(n) ((uint8_t)(1u << (n)))

static void say(struct link *link, uint8_t type, uint8_t session, uint16_t sequence, uint32_t bytes)
{
    link->notice.type = type;
    link->notice.session = session;
    link->notice.sequence = sequence;
    link->notice_bytes = (uint16_t)bytes;
    link->notice_waits = true;
}

static bool notice_free(const struct link *link)
{
    return link->sending != LINK_WINDOW;
}

static void complete(struct link *link, uint8_t slot)
{
    link->open &= (uint8_t)~BIT(slot);
    link->replied |= BIT(slot);
    link->to_send |= BIT(slot);
}

static void reply(struct link *link, uint8_t slot, uint32_t words)
{
    link->reply_bytes[slot] = (uint16_t)(LINK_WORD_BYTES * words);
    complete(link, slot);
}

static void fail(struct link *link, uint8_t slot, uint16_t code, uint32_t detail)
{
    struct frame *frame = &link->replies[slot];
    frame->type = LINK_ERROR;
    frame->payload[LINK_REFUSAL_CODE] = code;
    frame->payload[LINK_REFUSAL_DETAIL] = detail;
    link->reply_missing[slot] = 0;
    link->figures.refused++;
    reply(link, slot, LINK_REFUSAL_WORDS);
}

/* Everything but the network and the figures. */
static void forget(struct link *link)
{
    link->expected = 0;
    link->oldest = 0;
    link->gap_told = link->copying = false;
    link->to_send = link->open = link->replied = 0;
    link->notice_waits = false;
    link->sending = -1;
    for (uint32_t slot = 0; slot < LINK_WINDOW; slot++)
        link->reply_missing[slot] = link->reply_bytes[slot] = 0;
}

void link_start(struct link *link)
{
    forget(link);
    link->session = 0;
    link->loading = false;
    link->loaded = 0;
    link->notice.payload[0] = LINK_MAGIC;
    uint32_t words = machine_identity(link->notice.payload + 1);
    say(link, LINK_BOOT, 0, 0, LINK_WORD_BYTES * (words + 1));
}

/* Drops everything under way in the core; the network stays. */
static void reset_core(void)
{
    machine_copy_stop();
    while (machine_copy_left())
        ;
    machine_core_write(CORE_COMMAND, CORE_COMMAND_RESET);
    uint32_t scrap[4];
    while (machine_take(scrap, 4))
        ;
}

/* Refuses every request whose answers a reset of the core has thrown away. */
static void abandon(struct link *link, uint16_t code, uint32_t detail)
{
    for (uint8_t slot = 0; slot < LINK_WINDOW; slot++)
        if ((link->open & BIT(slot)) && link->reply_missing[slot])
            fail(link, slot, code, detail);
}

static void give_up(struct link *link, uint16_t code)
{
    uint32_t error = machine_core_read(CORE_ERROR);
    reset_core();
    if (link->copying)
        fail(link, link->copy_slot, code, error);
    link->copying = false;
    abandon(link, code, error);
}

static void begin_copy(struct link *link, const uint32_t *words, uint32_t count, bool to_stream, uint32_t address)
{
    machine_copy(words, count, to_stream, address);
    link->copying = true;
    link->copy_since = machine_cycle();
    link->copy_left = count;
}

static bool hello(struct link *link, const struct frame *frame, uint32_t bytes)
{
    if (!notice_free(link) || link->sending >= 0)
        return false; /* what is on the line must not change under it */
    uint16_t version = (uint16_t)frame->payload[LINK_HELLO_VERSION];
    bool fits = bytes == LINK_WORD_BYTES * LINK_HELLO_WORDS && frame->payload[LINK_HELLO_MAGIC] == LINK_MAGIC && frame->session != 0;
    if (!fits || version != LINK_VERSION) {
        link->notice.payload[LINK_REFUSAL_CODE] = fits ? LINK_E_VERSION : LINK_E_LENGTH;
        link->notice.payload[LINK_REFUSAL_DETAIL] = fits ? LINK_VERSION : bytes;
        link->figures.refused++;
        say(link, LINK_ERROR, frame->session, frame->sequence, LINK_WORD_BYTES * LINK_REFUSAL_WORDS);
        return true;
    }
    reset_core();
    forget(link);
    link->loading = false;
    link->session = frame->session;
    link->notice.payload[0] = link->loaded;
    uint32_t words = machine_identity(link->notice.payload + 1);
    say(link, LINK_HELLO | LINK_REPLY, frame->session, frame->sequence, LINK_WORD_BYTES * (words + 1));
    return true;
}

/* Starts copying the next record of a LOAD request; without one, the request is done. */
static void next_record(struct link *link, const struct frame *frame)
{
    if (link->copy_at >= link->copy_words) {
        link->copying = false;
        reply(link, link->copy_slot, 0);
        return;
    }
    uint32_t head = frame->payload[link->copy_at];
    uint32_t address = LINK_HEAD_ADDRESS(head), count = LINK_HEAD_COUNT(head);
    begin_copy(link, &frame->payload[link->copy_at + 1], count, false, address);
    link->copy_at = (uint16_t)(link->copy_at + 1 + count);
}

/* Whether the records of a LOAD request fill it exactly and name registers. */
static uint32_t check_records(const struct frame *frame, uint32_t words)
{
    for (uint32_t at = 0; at < words;) {
        uint32_t address = LINK_HEAD_ADDRESS(frame->payload[at]), count = LINK_HEAD_COUNT(frame->payload[at]);
        if (count == 0 || count > words - at - 1)
            return LINK_E_LENGTH;
        if (address >= CORE_END || address % LINK_WORD_BYTES)
            return LINK_E_ADDRESS;
        at += 1 + count;
    }
    return 0;
}

/* Carries out a request that is in order. Its buffer is free. Returns false if it must wait. */
static bool carry_out(struct link *link, const struct frame *frame, uint32_t bytes, uint8_t slot)
{
    uint32_t words = bytes / LINK_WORD_BYTES;
    const uint32_t *in = frame->payload;
    struct frame *out = &link->replies[slot];
    out->type = frame->type | LINK_REPLY;
    out->session = frame->session;
    out->sequence = frame->sequence;
    link->open |= BIT(slot);
    link->reply_missing[slot] = 0;
    link->reply_bytes[slot] = 0;

    switch (frame->type) {
    case LINK_LOAD_BEGIN:
        if (bytes != 0) {
            fail(link, slot, LINK_E_LENGTH, bytes);
            break;
        }
        link->loaded = 0;
        link->loading = true;
        machine_core_write(CORE_CONTROL, 0);
        reset_core();
        abandon(link, LINK_E_STATE, 0);
        machine_core_write(CORE_ERROR, ~0u);
        machine_check_clear();
        reply(link, slot, 0);
        break;
    case LINK_LOAD: {
        uint32_t wrong = bytes % LINK_WORD_BYTES || words == 0 ? LINK_E_LENGTH : check_records(frame, words);
        if (!link->loading)
            wrong = LINK_E_STATE;
        if (wrong) {
            link->loading = false;
            fail(link, slot, (uint16_t)wrong, bytes);
            break;
        }
        link->copy_slot = slot;
        link->copy_at = 0;
        link->copy_words = (uint16_t)words;
        next_record(link, frame);
        break;
    }
    case LINK_LOAD_END: {
        uint32_t check = machine_check();
        uint32_t error = machine_core_read(CORE_ERROR);
        if (!link->loading || bytes != LINK_WORD_BYTES) {
            fail(link, slot, link->loading ? LINK_E_LENGTH : LINK_E_STATE, bytes);
        } else if (check != in[0]) {
            fail(link, slot, LINK_E_CHECK, check);
        } else if (error) {
            fail(link, slot, LINK_E_CORE, error);
            machine_core_write(CORE_ERROR, error);
        } else {
            machine_core_write(CORE_CONTROL, CORE_CONTROL_RUN);
            link->loaded = check ? check : 1;
            reply(link, slot, 0);
        }
        link->loading = false;
        break;
    }
    case LINK_DATA: {
        uint32_t missing = words ? LINK_DATA_DUE(in[0]) : 0;
        if (bytes % LINK_WORD_BYTES || words == 0 || missing > LINK_PAYLOAD_WORDS) {
            fail(link, slot, LINK_E_LENGTH, bytes);
        } else if (!link->loaded) {
            fail(link, slot, LINK_E_STATE, 0);
        } else if (machine_core_read(CORE_STATUS) & CORE_STATUS_FAULT) {
            fail(link, slot, LINK_E_CORE, machine_core_read(CORE_ERROR));
        } else {
            link->reply_missing[slot] = (uint16_t)missing;
            link->copy_slot = slot;
            link->copy_at = link->copy_words = 0;
            begin_copy(link, in + 1, words - 1, true, 0);
        }
        break;
    }
    case LINK_READ: {
        uint32_t address = words ? LINK_HEAD_ADDRESS(in[0]) : 0, count = words ? LINK_HEAD_COUNT(in[0]) : 0;
        if (bytes != LINK_WORD_BYTES || count > LINK_PAYLOAD_WORDS) {
            fail(link, slot, LINK_E_LENGTH, bytes);
        } else if (address % LINK_WORD_BYTES || address >= CORE_END || LINK_WORD_BYTES * count > CORE_END - address) {
            fail(link, slot, LINK_E_ADDRESS, address);
        } else {
            for (uint32_t i = 0; i < count; i++)
                out->payload[i] = machine_core_read(address + LINK_WORD_BYTES * i);
            reply(link, slot, count);
        }
        break;
    }
    case LINK_STATUS:
        if (bytes != 0) {
            fail(link, slot, LINK_E_LENGTH, bytes);
        } else {
            const uint32_t *own = (const uint32_t *)&link->figures;
            uint32_t n = sizeof link->figures / LINK_WORD_BYTES;
            for (uint32_t i = 0; i < n; i++)
                out->payload[i] = own[i];
            n += machine_status(out->payload + n);
            reply(link, slot, n);
        }
        break;
    case LINK_RESTART:
        machine_restart();
        break;
    default:
        fail(link, slot, LINK_E_TYPE, frame->type);
    }
    return true;
}

bool link_take(struct link *link, const struct frame *frame, uint32_t bytes)
{
    if (bytes < LINK_HEADER_BYTES)
        return true;
    bytes -= LINK_HEADER_BYTES;
    if (link->copying)
        return false;
    if (frame->type == LINK_HELLO)
        return hello(link, frame, bytes);
    if (link->session == 0 || frame->session != link->session) {
        if (!notice_free(link))
            return false;
        link->notice.payload[LINK_REFUSAL_CODE] = LINK_E_SESSION;
        link->notice.payload[LINK_REFUSAL_DETAIL] = link->session;
        link->figures.refused++;
        say(link, LINK_ERROR, frame->session, frame->sequence, LINK_WORD_BYTES * LINK_REFUSAL_WORDS);
        return true;
    }
    int16_t ahead = (int16_t)(frame->sequence - link->expected);
    uint8_t slot = (uint8_t)(frame->sequence % LINK_WINDOW);
    if (ahead < 0) {
        /* Carried out before. If its reply is there, the host has not got it: once more. */
        link->figures.repeated++;
        if ((link->replied & BIT(slot)) && link->replies[slot].sequence == frame->sequence)
            link->to_send |= BIT(slot);
        return true;
    }
    if (ahead > 0) {
        link->figures.gaps++;
        if (link->gap_told)
            return true;
        if (!notice_free(link))
            return false;
        link->gap_told = true;
        say(link, LINK_GAP, link->session, link->expected, 0);
        return true;
    }
    if (link->open & BIT(slot)) {
        /* The request before the last eight has no reply yet: this host does not keep to the window. */
        if (!notice_free(link))
            return false;
        link->notice.payload[LINK_REFUSAL_CODE] = LINK_E_WINDOW;
        link->notice.payload[LINK_REFUSAL_DETAIL] = LINK_WINDOW;
        link->figures.refused++;
        say(link, LINK_ERROR, frame->session, frame->sequence, LINK_WORD_BYTES * LINK_REFUSAL_WORDS);
        return true;
    }
    if (link->sending == slot)
        return false; /* the line is still busy with the buffer's last reply */
    link->replied &= (uint8_t)~BIT(slot);
    link->to_send &= (uint8_t)~BIT(slot);
    link->gap_told = false;
    link->expected++;
    link->figures.accepted++;
    return carry_out(link, frame, bytes, slot);
}

/* Answer words go to the replies in the order of their requests. */
static bool collect(struct link *link)
{
    bool moved = false;
    while (link->oldest != link->expected) {
        uint8_t slot = (uint8_t)(link->oldest % LINK_WINDOW);
        struct frame *frame = &link->replies[slot];
        uint32_t came = machine_take(&frame->payload[link->reply_bytes[slot] / LINK_WORD_BYTES], link->reply_missing[slot]);
        link->reply_bytes[slot] = (uint16_t)(link->reply_bytes[slot] + LINK_WORD_BYTES * came);
        link->reply_missing[slot] = (uint16_t)(link->reply_missing[slot] - came);
        moved |= came != 0;
        if (link->reply_missing[slot] || (link->copying && link->copy_slot == slot))
            break;
        if (link->open & BIT(slot)) {
            link->figures.answered++;
            complete(link, slot);
            moved = true;
        }
        link->oldest++;
    }
    return moved;
}

static bool copy_on(struct link *link, const struct frame *frame)
{
    uint32_t left = machine_copy_left();
    if (left != link->copy_left) {
        link->copy_left = left;
        link->copy_since = machine_cycle();
    }
    if (left) {
        if (machine_cycle() - link->copy_since < LINK_STUCK_CYCLES)
            return false;
        /* The core takes nothing more: give the requests up and the core a fresh start. */
        give_up(link, LINK_E_STUCK);
        return true;
    }
    if (link->copy_words)
        next_record(link, frame);
    else
        link->copying = false;
    return true;
}

bool link_send(struct link *link)
{
    if (machine_sender_busy())
        return false;
    bool sent = link->sending >= 0;
    link->sending = -1;
    if (link->notice_waits) {
        link->notice_waits = false;
        link->sending = LINK_WINDOW;
        machine_send(&link->notice, LINK_HEADER_BYTES + link->notice_bytes);
        return true;
    }
    /* In the order of the requests, so that the host gets its results in order. This visits every slot. */
    for (uint16_t back = LINK_WINDOW; link->to_send; back--) {
        uint8_t slot = (uint8_t)((uint16_t)(link->expected - back) % LINK_WINDOW);
        if (link->to_send & BIT(slot)) {
            link->to_send &= (uint8_t)~BIT(slot);
            link->sending = (int8_t)slot;
            machine_send(&link->replies[slot], LINK_HEADER_BYTES + link->reply_bytes[slot]);
            return true;
        }
    }
    return sent;
}

bool link_work(struct link *link, const struct frame *current)
{
    bool done = false;
    if (link->open && link->loaded && (machine_core_read(CORE_STATUS) & CORE_STATUS_FAULT)) {
        /* The core drops its input from now on, so answers that are waited for will not come. */
        give_up(link, LINK_E_CORE);
        done = true;
    }
    if (link->copying)
        done |= copy_on(link, current);
    done |= collect(link);
    return done;
}
