/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/dhcp.h"

#include <errno.h>
#include <string.h>

#define ETHERNET 1 /* htype */
#define FLAG_BROADCAST 0x8000
#define LEN_MIN 300 /* of what is built */

/* Fields of a message (RFC 2131, 2, figure 1). */
#define AT_HTYPE 1
#define AT_HLEN 2
#define AT_XID 4
#define AT_SECS 8
#define AT_FLAGS 10
#define AT_CIADDR 12
#define AT_YIADDR 16
#define AT_GIADDR 24
#define AT_CHADDR 28
#define AT_SNAME 44
#define SNAME_LEN 64
#define AT_FILE 108
#define FILE_LEN 128
#define AT_COOKIE 236
#define AT_OPTIONS 240

enum option {
    OPTION_PAD = 0,
    OPTION_MASK = 1,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_MTU = 26,
    OPTION_REQUESTED = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_WISHES = 55,
    OPTION_SIZE_MAX = 57,
    OPTION_T1 = 58,
    OPTION_T2 = 59,
    OPTION_CLIENT_ID = 61,
    OPTION_END = 255,
};

static const uint8_t cookie[4] = { 99, 130, 83, 99 };

/* Where options lie, in the order in which they are read (RFC 3396, 5). */
struct area {
    const uint8_t *at;
    uint32_t len;
};

struct areas {
    unsigned int nr;
    struct area area[3];
};

/*
 * The option at the front of what is left of an area, without its code and length; the area becomes what is behind
 * it. Returns its code, OPTION_END behind the last one, or -EINVAL if it is cut off.
 */
static int option_next(struct area *area, struct area *option_r)
{
    while (area->len > 0 && area->at[0] == OPTION_PAD)
        *area = (struct area){ area->at + 1, area->len - 1 };
    if (area->len == 0 || area->at[0] == OPTION_END)
        return OPTION_END;
    if (area->len < 2 || area->len - 2 < area->at[1])
        return -EINVAL;
    *option_r = (struct area){ area->at + 2, area->at[1] };
    *area = (struct area){ option_r->at + option_r->len, area->len - 2 - option_r->len };
    return option_r->at[-2];
}

static int area_check(struct area area)
{
    struct area option;
    int code;

    do
        code = option_next(&area, &option);
    while (code >= 0 && code != OPTION_END);
    return code < 0 ? code : 0;
}

/*
 * Join the parts of an option. Of areas that were checked.
 *
 *   value  what of it fits into size bytes
 *
 * Returns its whole length; 0 if it is not there.
 */
static uint32_t option_get(const struct areas *areas, enum option wanted, void *value,
                           uint32_t size)
{
    uint32_t len = 0;

    for (unsigned int i = 0; i < areas->nr; i++) {
        struct area area = areas->area[i], option;
        int code;

        while ((code = option_next(&area, &option)) != OPTION_END) {
            if (code != (int)wanted)
                continue;
            if (len < size)
                memcpy((uint8_t *)value + len, option.at, RTE_MIN(option.len, size - len));
            len += option.len;
        }
    }
    return len;
}

/* An option of four bytes. */
static int option_get_be32(const struct areas *areas, enum option wanted, uint32_t flag,
                           struct dhcp_message *m, rte_be32_t *value_r)
{
    rte_be32_t value;
    uint32_t len = option_get(areas, wanted, &value, sizeof(value));

    if (len == 0)
        return 0;
    if (len != sizeof(value))
        return -EINVAL;
    *value_r = value;
    m->has |= flag;
    return 0;
}

static int option_get_u32(const struct areas *areas, enum option wanted, uint32_t flag,
                          struct dhcp_message *m, uint32_t *value_r)
{
    rte_be32_t value = 0;
    int err = option_get_be32(areas, wanted, flag, m, &value);

    *value_r = rte_be_to_cpu_32(value);
    return err;
}

/* Addresses, of which the first ones are taken. Returns how many, or -EINVAL. */
static int option_get_addresses(const struct areas *areas, enum option wanted, rte_be32_t *addrs_r,
                                unsigned int max)
{
    uint32_t len = option_get(areas, wanted, addrs_r, max * sizeof(addrs_r[0]));

    if (len % sizeof(addrs_r[0]) != 0)
        return -EINVAL;
    return (int)RTE_MIN(len / (uint32_t)sizeof(addrs_r[0]), max);
}

static int lists_get(const struct areas *areas, struct dhcp_message *m)
{
    int nr_routers = option_get_addresses(areas, OPTION_ROUTER, &m->router, 1);
    int nr_dns = option_get_addresses(areas, OPTION_DNS, m->dns, DHCP_DNS_MAX);
    uint32_t id_len = option_get(areas, OPTION_CLIENT_ID, m->client_id, sizeof(m->client_id));
    rte_be16_t mtu;
    uint32_t mtu_len = option_get(areas, OPTION_MTU, &mtu, sizeof(mtu));

    if (nr_routers < 0 || nr_dns < 0 || id_len > sizeof(m->client_id) ||
        (mtu_len != 0 && mtu_len != sizeof(mtu)))
        return -EINVAL;
    m->nr_dns = (uint8_t)nr_dns;
    m->client_id_len = (uint8_t)id_len;
    m->mtu = mtu_len ? rte_be_to_cpu_16(mtu) : 0;
    m->has |= (nr_routers ? DHCP_HAS_ROUTER : 0) | (mtu_len ? DHCP_HAS_MTU : 0);
    return 0;
}

static int options_get(const struct areas *areas, struct dhcp_message *m)
{
    uint8_t type;

    if (option_get(areas, OPTION_TYPE, &type, 1) != 1 || type < DHCP_DISCOVER || type > DHCP_INFORM)
        return -EINVAL;
    m->type = type;
    if (option_get_be32(areas, OPTION_MASK, DHCP_HAS_MASK, m, &m->mask) ||
        option_get_be32(areas, OPTION_REQUESTED, DHCP_HAS_REQUESTED, m, &m->requested) ||
        option_get_be32(areas, OPTION_SERVER, DHCP_HAS_SERVER, m, &m->server) ||
        option_get_u32(areas, OPTION_LEASE, DHCP_HAS_LEASE, m, &m->lease) ||
        option_get_u32(areas, OPTION_T1, DHCP_HAS_T1, m, &m->t1) ||
        option_get_u32(areas, OPTION_T2, DHCP_HAS_T2, m, &m->t2))
        return -EINVAL;
    return lists_get(areas, m);
}

/* The options field, and those that it says are used for options too. */
static int areas_find(const uint8_t *data, uint32_t len, struct areas *areas)
{
    uint8_t overload = 0;

    *areas = (struct areas){ 1, { { data + AT_OPTIONS, len - AT_OPTIONS } } };
    if (area_check(areas->area[0]) || option_get(areas, OPTION_OVERLOAD, &overload, 1) > 1 ||
        overload > 3)
        return -EINVAL;
    if (overload & 1)
        areas->area[areas->nr++] = (struct area){ data + AT_FILE, FILE_LEN };
    if (overload & 2)
        areas->area[areas->nr++] = (struct area){ data + AT_SNAME, SNAME_LEN };
    for (unsigned int i = 1; i < areas->nr; i++)
        if (area_check(areas->area[i]))
            return -EINVAL;
    return 0;
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static rte_be32_t get_be32(const uint8_t *p)
{
    rte_be32_t value;

    memcpy(&value, p, sizeof(value));
    return value;
}

int dhcp_parse(const uint8_t *data, uint32_t len, struct dhcp_message *message_r)
{
    struct dhcp_message m;
    struct areas areas;

    if (len < AT_OPTIONS || memcmp(data + AT_COOKIE, cookie, sizeof(cookie)) != 0 ||
        data[AT_HTYPE] != ETHERNET || data[AT_HLEN] != RTE_ETHER_ADDR_LEN ||
        (data[0] != DHCP_TO_SERVER && data[0] != DHCP_TO_CLIENT))
        return -EINVAL;
    memset(&m, 0, sizeof(m));
    m.op = data[0];
    m.xid = rte_be_to_cpu_32(get_be32(data + AT_XID));
    m.secs = get16(data + AT_SECS);
    m.is_broadcast = (get16(data + AT_FLAGS) & FLAG_BROADCAST) != 0;
    m.ciaddr = get_be32(data + AT_CIADDR);
    m.yiaddr = get_be32(data + AT_YIADDR);
    m.giaddr = get_be32(data + AT_GIADDR);
    memcpy(&m.chaddr, data + AT_CHADDR, sizeof(m.chaddr));
    if (areas_find(data, len, &areas) || options_get(&areas, &m))
        return -EINVAL;
    *message_r = m;
    return 0;
}

/* A message that is being written. */
struct writer {
    uint8_t *data;
    uint16_t len;
};

/* One that does not fit, as only a very long client identifier does, is left out. */
static void put(struct writer *w, enum option code, const void *value, uint8_t len)
{
    uint8_t *at = w->data + w->len;

    if (w->len + 2u + len >= DHCP_MESSAGE_MAX)
        return;
    at[0] = (uint8_t)code;
    at[1] = len;
    memcpy(at + 2, value, len);
    w->len += 2u + len;
}

static void put_be32(struct writer *w, const struct dhcp_message *m, uint32_t flag,
                     enum option code, rte_be32_t value)
{
    if (m->has & flag)
        put(w, code, &value, sizeof(value));
}

static void put_u32(struct writer *w, const struct dhcp_message *m, uint32_t flag, enum option code,
                    uint32_t value)
{
    put_be32(w, m, flag, code, rte_cpu_to_be_32(value));
}

/* What a client wants to be told, and that it takes messages as long as any. */
static void put_wishes(struct writer *w)
{
    static const uint8_t wishes[] = { OPTION_MASK,  OPTION_ROUTER, OPTION_DNS, OPTION_MTU,
                                      OPTION_LEASE, OPTION_SERVER, OPTION_T1,  OPTION_T2 };
    static const rte_be16_t size_max = RTE_BE16(1500);

    put(w, OPTION_WISHES, wishes, sizeof(wishes));
    put(w, OPTION_SIZE_MAX, &size_max, sizeof(size_max));
}

static void header_put(uint8_t *data, const struct dhcp_message *m)
{
    rte_be32_t xid = rte_cpu_to_be_32(m->xid);
    rte_be16_t secs = rte_cpu_to_be_16(m->secs);

    data[0] = (uint8_t)m->op;
    data[AT_HTYPE] = ETHERNET;
    data[AT_HLEN] = RTE_ETHER_ADDR_LEN;
    memcpy(data + AT_XID, &xid, sizeof(xid));
    memcpy(data + AT_SECS, &secs, sizeof(secs));
    data[AT_FLAGS] = m->is_broadcast ? FLAG_BROADCAST >> 8 : 0;
    memcpy(data + AT_CIADDR, &m->ciaddr, sizeof(m->ciaddr));
    memcpy(data + AT_YIADDR, &m->yiaddr, sizeof(m->yiaddr));
    memcpy(data + AT_GIADDR, &m->giaddr, sizeof(m->giaddr));
    memcpy(data + AT_CHADDR, &m->chaddr, sizeof(m->chaddr));
    memcpy(data + AT_COOKIE, cookie, sizeof(cookie));
}

uint16_t dhcp_build(const struct dhcp_message *m, uint8_t data[DHCP_MESSAGE_MAX])
{
    struct writer w = { data, AT_OPTIONS };
    rte_be16_t mtu = rte_cpu_to_be_16(m->mtu);
    uint8_t type = (uint8_t)m->type;

    memset(data, 0, DHCP_MESSAGE_MAX);
    header_put(data, m);
    put(&w, OPTION_TYPE, &type, 1);
    put_be32(&w, m, DHCP_HAS_SERVER, OPTION_SERVER, m->server);
    put_be32(&w, m, DHCP_HAS_REQUESTED, OPTION_REQUESTED, m->requested);
    put_u32(&w, m, DHCP_HAS_LEASE, OPTION_LEASE, m->lease);
    put_u32(&w, m, DHCP_HAS_T1, OPTION_T1, m->t1);
    put_u32(&w, m, DHCP_HAS_T2, OPTION_T2, m->t2);
    put_be32(&w, m, DHCP_HAS_MASK, OPTION_MASK, m->mask);
    put_be32(&w, m, DHCP_HAS_ROUTER, OPTION_ROUTER, m->router);
    if (m->nr_dns)
        put(&w, OPTION_DNS, m->dns, (uint8_t)(m->nr_dns * sizeof(m->dns[0])));
    if (m->has & DHCP_HAS_MTU)
        put(&w, OPTION_MTU, &mtu, sizeof(mtu));
    if (m->has & DHCP_HAS_WISHES)
        put_wishes(&w);
    if (m->client_id_len)
        put(&w, OPTION_CLIENT_ID, m->client_id, m->client_id_len);
    data[w.len++] = OPTION_END;
    return RTE_MAX(w.len, (uint16_t)LEN_MIN);
}
