/* SPDX-License-Identifier: BSD-2-Clause */
#include <ferry/address.h>

#include <errno.h>
#include <string.h>

#define GROUPS 8 /* of an IPv6 address */

int decimal_parse(const char *text, size_t len, uint32_t max, uint32_t *number_r)
{
    uint64_t number = 0;

    if (len == 0 || len > 10 || (text[0] == '0' && len > 1))
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -EINVAL;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    if (number > max)
        return -EINVAL;
    *number_r = (uint32_t)number;
    return 0;
}

int address4_parse(const char *text, size_t len, uint8_t addr_r[4])
{
    uint8_t addr[4];

    for (unsigned int i = 0; i < 4; i++) {
        const char *dot = memchr(text, '.', len);
        size_t part = dot ? (size_t)(dot - text) : len;
        uint32_t number;

        if ((i < 3) != (dot != NULL) || decimal_parse(text, part, 255, &number))
            return -EINVAL;
        addr[i] = (uint8_t)number;
        text += part + (dot != NULL);
        len -= part + (dot != NULL);
    }
    memcpy(addr_r, addr, sizeof(addr));
    return 0;
}

/* One to four hexadecimal digits. */
static int group_parse(const char *text, size_t len, uint16_t *group_r)
{
    uint16_t group = 0;

    if (len == 0 || len > 4)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        char c = text[i] | 0x20;

        if (text[i] >= '0' && text[i] <= '9')
            group = (uint16_t)(group << 4 | (text[i] - '0'));
        else if (c >= 'a' && c <= 'f')
            group = (uint16_t)(group << 4 | (c - 'a' + 10));
        else
            return -EINVAL;
    }
    *group_r = group;
    return 0;
}

/* Groups joined by colons, the last two perhaps as an IPv4 address. Returns their number, or -EINVAL. */
static int groups_parse(const char *text, size_t len, uint8_t *bytes, unsigned int max)
{
    unsigned int nr = 0;

    if (len == 0)
        return 0;
    for (;;) {
        const char *colon = memchr(text, ':', len);
        size_t part = colon ? (size_t)(colon - text) : len;
        uint16_t group;

        if (!colon && nr + 2 <= max && address4_parse(text, len, bytes + 2 * nr) == 0)
            return (int)nr + 2;
        if (nr == max || group_parse(text, part, &group))
            return -EINVAL;
        bytes[2 * nr] = (uint8_t)(group >> 8);
        bytes[2 * nr + 1] = (uint8_t)group;
        nr++;
        if (!colon)
            return (int)nr;
        text += part + 1;
        len -= part + 1;
    }
}

static const char *gap_find(const char *text, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++)
        if (text[i] == ':' && text[i + 1] == ':')
            return text + i;
    return NULL;
}

int address6_parse(const char *text, size_t len, uint8_t addr_r[16])
{
    const char *gap = gap_find(text, len);
    size_t head_len = gap ? (size_t)(gap - text) : len;
    uint8_t addr[16] = { 0 }, tail[16];
    int head, nr_tail = 0;

    if (gap && memchr(text, '.', head_len))
        return -EINVAL;
    head = groups_parse(text, head_len, addr, GROUPS);
    if (gap)
        nr_tail = groups_parse(gap + 2, len - head_len - 2, tail, GROUPS);
    if (head < 0 || nr_tail < 0 || (gap ? head + nr_tail >= GROUPS : head != GROUPS))
        return -EINVAL;
    memcpy(addr + 16 - 2 * nr_tail, tail, 2u * (unsigned int)nr_tail);
    memcpy(addr_r, addr, sizeof(addr));
    return 0;
}

int prefix_parse(const char *text, size_t len, bool *is_ip6_r, uint8_t addr_r[16], uint8_t *len_r)
{
    const char *slash = memchr(text, '/', len);
    size_t addr_len = slash ? (size_t)(slash - text) : len;
    bool is_ip6 = memchr(text, ':', addr_len) != NULL;
    uint32_t bits = is_ip6 ? 128 : 32;
    uint8_t addr[16] = { 0 };

    if (slash && decimal_parse(slash + 1, len - addr_len - 1, bits, &bits))
        return -EINVAL;
    if (is_ip6 ? address6_parse(text, addr_len, addr) : address4_parse(text, addr_len, addr))
        return -EINVAL;
    memcpy(addr_r, addr, is_ip6 ? 16 : 4);
    *is_ip6_r = is_ip6;
    *len_r = (uint8_t)bits;
    return 0;
}
