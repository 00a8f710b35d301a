/* SPDX-License-Identifier: BSD-2-Clause */
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"

static int bytes_parse(struct filter *f, const char *word)
{
    char *at;
    unsigned long offset = strtoul(word + 1, &at, 0);
    int len;

    if (*at != '=' || offset >= FRAME_HEAD_MAX)
        return -1;
    len = hex_parse(at + 1, f->value + offset, FRAME_HEAD_MAX - offset);
    if (len < 0)
        return -1;
    memset(f->tested + offset, 1, (size_t)len);
    return 0;
}

static int word_parse(struct filter *f, const char *word)
{
    unsigned long long n;

    if (!strcmp(word, "from_nic"))
        f->direction = FROM_NIC;
    else if (!strcmp(word, "to_nic"))
        f->direction = TO_NIC;
    else if (sscanf(word, "after=%llu", &n) == 1)
        f->after = n;
    else if (sscanf(word, "before=%llu", &n) == 1)
        f->before = n;
    else if (sscanf(word, "minlen=%llu", &n) == 1)
        f->min_len = (uint32_t)n;
    else if (sscanf(word, "maxlen=%llu", &n) == 1)
        f->max_len = (uint32_t)n;
    else if (sscanf(word, "limit=%llu", &n) == 1)
        f->limit = n;
    else
        return word[0] == '@' ? bytes_parse(f, word) : -1;
    return 0;
}

int filter_parse(struct filter *filter_r, char *words, const char **bad_r)
{
    struct filter f = {
        .direction = -1, .before = UINT64_MAX, .max_len = UINT32_MAX, .limit = 1000
    };
    char *rest = NULL;

    for (char *w = strtok_r(words, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) {
        if (word_parse(&f, w)) {
            *bad_r = w;
            return -1;
        }
    }
    *filter_r = f;
    return 0;
}

int filter_match(const struct filter *f, const struct frame_record *r)
{
    if (f->direction >= 0 && r->direction != f->direction)
        return 0;
    if (r->ns < f->after || r->ns > f->before || r->len < f->min_len || r->len > f->max_len)
        return 0;
    for (size_t i = 0; i < FRAME_HEAD_MAX; i++)
        if (f->tested[i] && (i >= r->nr_head || r->head[i] != f->value[i]))
            return 0;
    return 1;
}
