/* The link of a tritgrad core (docs/link.md) over its four Wishbone registers (docs/chip.md), for
 * one thread that waits. Nothing is allocated and nothing of a C library is called. */
#ifndef TRITGRAD_H
#define TRITGRAD_H

#include <stdint.h>

/* Most bytes of an answer: header, payload and CRC. A READ must ask for no more. */
#define TG_LONGEST 520u
#define TG_HEAD 10u /* type, sequence, length; status, expected, nonce */

enum tg_register { TG_TX, TG_RX, TG_STATUS, TG_CONTROL };
enum tg_type {
    TG_HELLO = 1, TG_PROGRAM, TG_TABLE, TG_WRITE, TG_READ, TG_PRNG, TG_SEED, TG_RUN, TG_DATA,
    TG_ASK, TG_ABORT, TG_RESULT = 0xC0
};

struct tg {
    volatile uint32_t *base;                                  /* of the registers */
    void (*result)(const uint8_t *payload, unsigned length);  /* is given what SEND sends */
    uint8_t sequence, frame[TG_LONGEST];                      /* what comes in, unstuffed */
    unsigned length;
    uint32_t crc;
    int escaped, answered;
};

/* The bytes of the answer behind its head. */
static inline const uint8_t *tg_answer(const struct tg *tg) { return tg->frame + TG_HEAD; }

static inline uint32_t tg_crc32(uint32_t crc, uint8_t byte) {
    static const uint32_t table[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u,
        0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u,
        0xA00AE278u, 0xBDBDF21Cu};
    crc ^= byte;
    crc = crc >> 4 ^ table[crc & 15u];
    return crc >> 4 ^ table[crc & 15u];
}

/* Take a byte from the core, if there is one. */
static inline void tg_poll(struct tg *tg) {
    const uint32_t word = tg->base[TG_RX];
    if (!(word & 0x100u)) return;
    uint8_t byte = (uint8_t)word;
    if (byte == 0xA5u) {
        uint32_t crc = 0xFFFFFFFFu;
        for (unsigned n = 0; n < tg->length; n++) crc = tg_crc32(crc, tg->frame[n]);
        /* What remains of a CRC that is right. */
        if (tg->length >= 8u && crc == 0xDEBB20E3u) {
            if (tg->frame[0] != TG_RESULT) tg->answered = 1;
            else if (tg->result) tg->result(tg->frame + 4, tg->length - 8u);
        }
        if (!tg->answered) tg->length = 0;
        tg->escaped = 0;
    } else if (byte == 0x5Bu) {
        tg->escaped = 1;
    } else {
        if (tg->escaped) byte ^= 0x20u;
        tg->escaped = 0;
        if (tg->length < TG_LONGEST) tg->frame[tg->length++] = byte;
    }
}

/* Send a byte; what comes in meanwhile is taken, or neither side would go on. */
static inline void tg_put(struct tg *tg, uint8_t byte) {
    while (!(tg->base[TG_STATUS] & 0xFFu)) tg_poll(tg);
    tg->base[TG_TX] = byte;
}

static inline void tg_send(struct tg *tg, const uint8_t *bytes, unsigned length) {
    for (unsigned n = 0; n < length; n++) {
        tg->crc = tg_crc32(tg->crc, bytes[n]);
        if (bytes[n] == 0xA5u || bytes[n] == 0x5Bu) {
            tg_put(tg, 0x5Bu);
            tg_put(tg, bytes[n] ^ 0x20u);
        } else {
            tg_put(tg, bytes[n]);
        }
    }
}

/* Begin a request with so many bytes of payload; `tg_send` sends them, `tg_end` waits. */
static inline void tg_begin(struct tg *tg, enum tg_type type, unsigned length) {
    const uint8_t head[4] = {(uint8_t)type, tg->sequence, (uint8_t)length, (uint8_t)(length >> 8)};
    tg->length = 0;
    tg->answered = 0;
    tg->crc = 0xFFFFFFFFu;
    tg_put(tg, 0xA5u);
    tg_send(tg, head, 4);
}

/* The length of the answer behind its head, or minus its status: docs/link.md has them. */
static inline int tg_end(struct tg *tg) {
    const uint32_t crc = ~tg->crc;
    const uint8_t tail[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                             (uint8_t)(crc >> 24)};
    tg_send(tg, tail, 4);
    tg_put(tg, 0xA5u);
    while (!tg->answered) tg_poll(tg);
    tg->sequence++;
    return tg->frame[4] ? -(int)tg->frame[4] : (int)(tg->length - TG_HEAD - 4u);
}

static inline int tg_request(struct tg *tg, enum tg_type type, const uint8_t *payload,
                             unsigned length) {
    tg_begin(tg, type, length);
    tg_send(tg, payload, length);
    return tg_end(tg);
}

/* Reset the core and greet it. 0, or why not: it is no core of this protocol. */
static inline int tg_open(struct tg *tg, volatile uint32_t *base, uint8_t protocol) {
    const uint8_t nonce[4] = {1, 0, 0, 0};
    *tg = (struct tg){.base = base};
    base[TG_CONTROL] = 1;
    const int length = tg_request(tg, TG_HELLO, nonce, 4);
    const uint8_t *said = tg_answer(tg);
    if (length < 5 || said[0] != 'T' || said[1] != 'R' || said[2] != 'I' || said[3] != 'T') return -1;
    return said[4] == protocol ? 0 : -2;
}

/* Send samples, packed as docs/link.md says, with their labels. 0, or minus the status. */
static inline int tg_data(struct tg *tg, const uint8_t *labels, const uint8_t *samples,
                          unsigned count, unsigned sample_bytes) {
    const uint8_t head[2] = {0, (uint8_t)count}; /* no flags: samples are dense */
    tg_begin(tg, TG_DATA, 2u + count + count * sample_bytes);
    tg_send(tg, head, 2);
    tg_send(tg, labels, count);
    tg_send(tg, samples, count * sample_bytes);
    const int status = tg_end(tg);
    return status < 0 ? status : 0;
}

/* Wait until the program has stopped; its state then, 2 for its own end, or minus the status. */
static inline int tg_wait(struct tg *tg) {
    const uint8_t wait = 1;
    int status;
    do status = tg_request(tg, TG_ASK, &wait, 1);
    while (status >= 0 && tg_answer(tg)[0] == 1);
    return status < 0 ? status : tg_answer(tg)[0];
}

#endif
