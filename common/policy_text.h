/* SPDX-License-Identifier: BSD-2-Clause */
/* The words of a policy: <ferry/policy.h>. For common/policy*.c. */
#ifndef COMMON_POLICY_TEXT_H
#define COMMON_POLICY_TEXT_H

#include <ferry/policy.h>

/* A piece of the text; not NUL-terminated. */
struct word {
    const char *at;
    size_t len;
};

/* What is read so far, and where. */
struct policy_parser {
    struct policy policy;
    struct word rest; /* of the statement */
    unsigned int line;
    char *error;
    bool has_default[POLICY_DIRECTIONS]; /* said */
};

bool policy_word_is(struct word word, const char *string);

/* Cut the text up to the first of these characters off, and the character. */
struct word policy_word_cut(struct word *rest, const char *separators);

/* The next word of the statement; empty at its end. */
struct word policy_word_next(struct policy_parser *parser);

/*
 * Say what is wrong. Always returns -EINVAL.
 *
 *   what      in front of the word
 *   word      the bad one; empty: the statement ended where a word was to be, and what is not said
 *   accepted  what could stand there
 */
int policy_word_fail(struct policy_parser *parser, const char *what, struct word word,
                     const char *accepted);

/* Nothing may follow in the statement. Returns 0 or -EINVAL. */
int policy_word_last(struct policy_parser *parser);

/* Which of the strings the word is, up to NULL; -1: none. */
int policy_word_find(struct word word, const char *const *strings);

/* These set their outputs on success only and return 0 or -EINVAL. */
int policy_word_mac(struct word word, uint8_t mac_r[6]);
int policy_word_rate(struct word word, struct policy_rate *rate_r);
int policy_word_ports(struct word word, struct policy_ports *ports_r);

#endif
