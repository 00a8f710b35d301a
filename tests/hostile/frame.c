/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include <string.h>

#include "wait.h"

#define ALIVE_TRIES 8
#define ALIVE_TRY_MS 700
#define ARP_REPLY 2

const uint8_t frame_nobody[6] = { 0x02, 0, 0, 0, 0, 0x99 };
const uint8_t frame_broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

uint16_t be16_get(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

void be16_put(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

uint32_t be32_get(const uint8_t *p)
{
    return (uint32_t)be16_get(p) << 16 | be16_get(p + 2);
}

void be32_put(uint8_t *p, uint32_t value)
{
    be16_put(p, (uint16_t)(value >> 16));
    be16_put(p + 2, (uint16_t)value);
}

uint32_t frame_sum(const uint8_t *data, uint32_t len, uint32_t sum)
{
    for (uint32_t i = 0; i + 1 < len; i += 2)
        sum += be16_get(data + i);
    if (len & 1)
        sum += (uint32_t)data[len - 1] << 8;
    return sum;
}

uint16_t frame_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

uint8_t *frame_eth(struct front *f, uint8_t *frame, const uint8_t *to, uint16_t type)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, f->mac, 6);
    be16_put(frame + 12, type);
    return frame + FRAME_ETH_LEN;
}

void frame_arp(struct front *f, uint8_t *frame, uint32_t len)
{
    static const uint8_t head[8] = { 0, 1, 8, 0, 6, 4, 0, 1 };

    memset(frame, 0, len);
    frame_eth(f, frame, frame_broadcast, 0x0806);
    memcpy(frame + 14, head, sizeof(head));
    memcpy(frame + 22, f->mac, 6);
    be32_put(frame + 28, f->ip);
    be32_put(frame + 38, f->wire_ip);
}

static void fill_payload(uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        p[i] = (uint8_t)(i * 7 + (i >> 8));
}

/* Ports, sequence number 1, header of 20 bytes, ACK and PSH; `pseudo` into the checksum field. */
static void tcp_put(uint8_t *tcp, uint16_t pseudo, uint32_t payload)
{
    memset(tcp, 0, 20);
    be16_put(tcp, 4000);
    be16_put(tcp + 2, 9);
    be32_put(tcp + 4, 1);
    tcp[12] = 5 << 4;
    tcp[13] = 0x18;
    be16_put(tcp + 14, 0xffff);
    be16_put(tcp + 16, pseudo);
    fill_payload(tcp + 20, payload);
}

uint32_t frame_tcp4(struct front *f, uint8_t *frame, const uint8_t *to, uint32_t payload)
{
    uint8_t *ip = frame_eth(f, frame, to, 0x0800);

    memset(ip, 0, 20);
    ip[0] = 0x45;
    be16_put(ip + 2, (uint16_t)(40 + payload));
    be16_put(ip + 6, 0x4000); /* do not fragment */
    ip[8] = 64;
    ip[9] = 6;
    be32_put(ip + 12, f->ip);
    be32_put(ip + 16, f->wire_ip);
    be16_put(ip + 10, (uint16_t)~frame_fold(frame_sum(ip, 20, 0)));
    tcp_put(ip + 20, frame_fold(frame_sum(ip + 12, 8, 6 + 20 + payload)), payload);
    return FRAME_TCP4_LEN + payload;
}

uint32_t frame_tcp6(struct front *f, uint8_t *frame, const uint8_t *to, uint32_t payload)
{
    uint8_t *ip = frame_eth(f, frame, to, 0x86dd);

    memset(ip, 0, 40);
    ip[0] = 0x60;
    be16_put(ip + 4, (uint16_t)(20 + payload));
    ip[6] = 6;
    ip[7] = 64;
    ip[8] = ip[24] = 0xfd;
    be32_put(ip + 20, f->ip);
    be32_put(ip + 36, f->wire_ip);
    tcp_put(ip + 40, frame_fold(frame_sum(ip + 8, 32, 6 + 20 + payload)), payload);
    return FRAME_ETH_LEN + 60 + payload;
}

bool frame_is_answer(struct front *f, const struct rx_frame *frame)
{
    const uint8_t *p = frame->data;

    return frame->len >= FRAME_ARP_LEN && be16_get(p + 12) == 0x0806 &&
           be16_get(p + 20) == ARP_REPLY && be32_get(p + 28) == f->wire_ip &&
           memcmp(p + 32, f->mac, 6) == 0;
}

static bool answered(void *ctx)
{
    struct front *f = ctx;
    const struct rx_frame *frame;

    while ((frame = rx_take(f)))
        if (frame_is_answer(f, frame))
            return true;
    return false;
}

bool frame_wait_answer(struct front *f, unsigned int ms)
{
    return wait_until(answered, f, ms);
}

const char *frame_alive(struct front *f)
{
    uint8_t frame[60];

    rx_drain(f);
    for (unsigned int i = 0; i < ALIVE_TRIES; i++) {
        const char *bad;

        frame_arp(f, frame, sizeof(frame));
        tx_frame(f, frame, sizeof(frame), 0, NULL);
        bad = tx_judge(f, TX_ANY);
        if (bad)
            return why("an honest frame afterwards: %s", bad);
        if (frame_wait_answer(f, ALIVE_TRY_MS))
            return NULL;
    }
    return why("no answer to %u ARP requests afterwards; rx: %u requested, %u answered, state %d",
               ALIVE_TRIES, f->rx->req_prod, f->rx->rsp_prod, front_back_state(f));
}
