/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reader {
    char *why;
    size_t why_size;
};

static int wrong(const struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int wrong(const struct reader *reader, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reader->why, reader->why_size, format, args);
    va_end(args);
    return -EINVAL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool mac_take(const char *text, size_t len, uint8_t mac_r[6])
{
    if (len != 17)
        return false;
    for (size_t i = 0; i < 6; i++) {
        int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);

        if (high < 0 || low < 0 || (i < 5 && text[3 * i + 2] != ':'))
            return false;
        mac_r[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* What dev_valid_name() of Linux allows, and no more than scripts can bear. */
static bool name_ok(const char *text, size_t len)
{
    if (len == 0 || len >= WORDS_NAME_SIZE || text[0] == '.' || text[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!(text[i] >= 'a' && text[i] <= 'z') && !(text[i] >= 'A' && text[i] <= 'Z') &&
            !(text[i] >= '0' && text[i] <= '9') && !strchr("_-.", text[i]))
            return false;
    return true;
}

static int bridge_take(const struct reader *reader, const char *value, size_t len, bool is_ovs,
                       struct words *words)
{
    const char *comma = memchr(value, ',', len);
    size_t name_len = comma ? (size_t)(comma - value) : len;
    struct words_bridge *bridge = &words->bridges[words->nr_bridges];

    if (words->nr_bridges == WORDS_BRIDGES_MAX)
        return wrong(reader, "there are more than %d bridges", WORDS_BRIDGES_MAX);
    if (!name_ok(value, name_len))
        return wrong(reader,
                     "'%.*s' can be no bridge's name: 1 to 15 letters, digits, '_', '-', '.'",
                     (int)(name_len < 40 ? name_len : 40), value);
    *bridge = (struct words_bridge){ .is_ovs = is_ovs };
    memcpy(bridge->name, value, name_len);
    for (size_t i = 0; i < words->nr_bridges; i++)
        if (strcmp(words->bridges[i].name, bridge->name) == 0)
            return wrong(reader, "the bridge %s is there twice", bridge->name);
    if (comma) {
        const char *nic = comma + 1;
        size_t nic_len = len - name_len - 1;

        if (nic_len == 4 && memcmp(nic, "none", 4) == 0)
            bridge->nic = WORDS_NIC_NONE;
        else if (mac_take(nic, nic_len, bridge->mac))
            bridge->nic = WORDS_NIC_MAC;
        else
            return wrong(reader, "'%.*s' is no card: a MAC address, or none",
                         (int)(nic_len < 40 ? nic_len : 40), nic);
    }
    words->nr_bridges++;
    return 0;
}

static int word_take(const struct reader *reader, const char *word, size_t len, struct words *words)
{
    if (len > 13 && memcmp(word, "ferry.bridge=", 13) == 0)
        return bridge_take(reader, word + 13, len - 13, false, words);
    if (len > 10 && memcmp(word, "ferry.ovs=", 10) == 0)
        return bridge_take(reader, word + 10, len - 10, true, words);
    if (len == 11 && memcmp(word, "ferry.disks", 11) == 0) {
        words->has_disks = true;
        return 0;
    }
    return wrong(reader,
                 "'%.*s' is not known; there are: ferry.bridge=NAME[,MAC|,none] "
                 "ferry.ovs=NAME[,MAC|,none] ferry.disks",
                 (int)(len < 60 ? len : 60), word);
}

int words_parse(const char *line, struct words *words_r, char *why_r, size_t why_size)
{
    const struct reader reader = { why_r, why_size };
    struct words words = { 0 };
    int err = 0;

    while (!err && *line) {
        size_t len = strcspn(line, " \t\n");

        if (len >= 6 && memcmp(line, "ferry.", 6) == 0)
            err = word_take(&reader, line, len, &words);
        line += len;
        line += strspn(line, " \t\n");
    }
    if (!err && words.nr_bridges == 0 && !words.has_disks)
        err = wrong(&reader, "nothing is asked for: ferry.bridge=NAME, or ferry.disks");
    if (!err)
        *words_r = words;
    return err;
}
