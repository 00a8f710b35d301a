/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ferry/address.h>

#define SHOWN_MAX 40 /* bytes of a bad word that an error repeats */
#define INTERVAL_DEFAULT_US 50000
#define US_PER_S 1000000

bool policy_word_is(struct word word, const char *string)
{
    return word.len == strlen(string) && memcmp(word.at, string, word.len) == 0;
}

struct word policy_word_cut(struct word *rest, const char *separators)
{
    struct word first = { rest->at, 0 };

    while (first.len < rest->len &&
           !(first.at[first.len] != '\0' && strchr(separators, first.at[first.len])))
        first.len++;
    rest->at += first.len + (first.len < rest->len);
    rest->len -= first.len + (first.len < rest->len);
    return first;
}

struct word policy_word_next(struct policy_parser *parser)
{
    struct word word = { parser->rest.at, 0 };

    while (word.len == 0 && parser->rest.len > 0)
        word = policy_word_cut(&parser->rest, " \t\r");
    return word;
}

int policy_word_fail(struct policy_parser *parser, const char *what, struct word word,
                     const char *accepted)
{
    char shown[SHOWN_MAX + 1];
    size_t len = word.len < SHOWN_MAX ? word.len : SHOWN_MAX;

    for (size_t i = 0; i < len; i++)
        shown[i] = word.at[i] >= ' ' && word.at[i] <= '~' ? word.at[i] : '?';
    shown[len] = '\0';
    if (word.len == 0)
        snprintf(parser->error, POLICY_ERROR_SIZE, "line %u: the statement ends too early; %s",
                 parser->line, accepted);
    else
        snprintf(parser->error, POLICY_ERROR_SIZE, "line %u: %s '%s%s'; %s", parser->line, what,
                 shown, len < word.len ? "..." : "", accepted);
    return -EINVAL;
}

int policy_word_last(struct policy_parser *parser)
{
    struct word word = policy_word_next(parser);

    if (word.len == 0)
        return 0;
    return policy_word_fail(parser, "too much:", word, "the statement ends before it");
}

int policy_word_find(struct word word, const char *const *strings)
{
    for (int i = 0; strings[i]; i++)
        if (policy_word_is(word, strings[i]))
            return i;
    return -1;
}

static int hex_digit(char c)
{
    char lower = c | 0x20;

    if (c >= '0' && c <= '9')
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Six pairs of digits; no group's address, and not 0. */
int policy_word_mac(struct word word, uint8_t mac_r[6])
{
    uint8_t mac[6], any = 0;

    if (word.len != 17)
        return -EINVAL;
    for (unsigned int i = 0; i < 6; i++) {
        int high = hex_digit(word.at[3 * i]), low = hex_digit(word.at[3 * i + 1]);

        if (high < 0 || low < 0 || (i < 5 && word.at[3 * i + 2] != ':'))
            return -EINVAL;
        mac[i] = (uint8_t)(high << 4 | low);
        any |= mac[i];
    }
    if (any == 0 || mac[0] & 1)
        return -EINVAL;
    memcpy(mac_r, mac, sizeof(mac));
    return 0;
}

/* The digits in front of a word, which are cut off, as a number. */
static int number_cut(struct word *word, uint32_t *number_r)
{
    size_t len = 0;

    while (len < word->len && word->at[len] >= '0' && word->at[len] <= '9')
        len++;
    if (decimal_parse(word->at, len, UINT32_MAX, number_r))
        return -EINVAL;
    word->at += len;
    word->len -= len;
    return 0;
}

/* Digits, and a unit of time; seconds without one. */
static int interval_parse(struct word word, uint32_t *us_r)
{
    static const char *const units[] = { "us", "ms", "s", "", NULL };
    static const uint32_t factors[] = { 1, 1000, US_PER_S, US_PER_S };
    uint32_t number;
    int unit;

    if (number_cut(&word, &number) || number == 0)
        return -EINVAL;
    unit = policy_word_find(word, units);
    if (unit < 0 || number > UINT32_MAX / factors[unit])
        return -EINVAL;
    *us_r = number * factors[unit];
    return 0;
}

/* Digits, and a unit of so much in a second. */
static int per_second_parse(struct word word, uint64_t *bytes_r)
{
    static const char *const units[] = { "B/s",  "KB/s", "MB/s", "GB/s", "b/s",
                                         "Kb/s", "Mb/s", "Gb/s", NULL };
    static const uint32_t factors[] = { 1, 1000, 1000000, 1000000000 };
    uint32_t number;
    int unit;

    if (number_cut(&word, &number))
        return -EINVAL;
    unit = policy_word_find(word, units);
    if (unit < 0)
        return -EINVAL;
    *bytes_r = (uint64_t)number * factors[unit % 4] / (unit < 4 ? 1 : 8);
    return 0;
}

int policy_word_rate(struct word word, struct policy_rate *rate_r)
{
    struct policy_rate rate = { .interval_us = INTERVAL_DEFAULT_US };
    bool has_interval = word.len > 0 && memchr(word.at, '@', word.len) != NULL;
    struct word amount = policy_word_cut(&word, "@");

    if (per_second_parse(amount, &rate.bytes_per_s))
        return -EINVAL;
    if (has_interval && interval_parse(word, &rate.interval_us))
        return -EINVAL;
    if (rate.bytes_per_s > UINT64_MAX / rate.interval_us)
        return -EINVAL;
    rate.bytes = rate.bytes_per_s * rate.interval_us / US_PER_S;
    if (rate.bytes == 0)
        return -EINVAL;
    rate_r->bytes = rate.bytes;
    rate_r->interval_us = rate.interval_us;
    rate_r->bytes_per_s = rate.bytes_per_s;
    return 0;
}

/* 1 to 65535, or two of them with '-' between, the smaller one first. */
int policy_word_ports(struct word word, struct policy_ports *ports_r)
{
    bool is_range = word.len > 0 && memchr(word.at, '-', word.len) != NULL;
    struct word begin = policy_word_cut(&word, "-");
    uint32_t first, last;

    if (decimal_parse(begin.at, begin.len, UINT16_MAX, &first) || first == 0)
        return -EINVAL;
    last = first;
    if (is_range && decimal_parse(word.at, word.len, UINT16_MAX, &last))
        return -EINVAL;
    if (last < first)
        return -EINVAL;
    *ports_r = (struct policy_ports){ (uint16_t)first, (uint16_t)last };
    return 0;
}
