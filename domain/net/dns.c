/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/dns.h"

#include <string.h>

#define AT_NR_QUESTIONS 4
#define AT_NR_ANSWERS 6
#define AT_NR_AUTHORITY 8
#define AT_NR_ADDITIONAL 10

#define LABEL_MAX 63
#define NAME_MAX_LEN 255
#define TYPE_AND_CLASS 4

/* An OPT record: root's name, its type, the size that can be taken, and more (RFC 6891, 6.1.2). */
#define OPT_LEN_MIN 11
#define OPT_TYPE 41
#define OPT_AT_TYPE 1
#define OPT_AT_SIZE 3

#define FLAG_ANSWER 0x80 /* of the first byte of flags */
#define FLAGS_KEPT 0x79 /* opcode, recursion desired */
#define FLAG_RECURSION 0x80 /* of the second: available */
#define FLAG_UNCHECKED 0x10 /* checking disabled */

/* Returns 0 if no whole name is there. */
static uint32_t name_len(const uint8_t *name, uint32_t left)
{
    uint32_t at = 0;

    while (at < left && at < NAME_MAX_LEN) {
        if (name[at] == 0)
            return at + 1;
        if (name[at] > LABEL_MAX)
            return 0;
        at += 1u + name[at];
    }
    return 0;
}

uint16_t dns_question_len(const uint8_t *message, uint32_t len)
{
    uint32_t name;

    if (dns_u16(message + AT_NR_QUESTIONS) != 1)
        return 0;
    name = name_len(message + DNS_HEADER_LEN, len - DNS_HEADER_LEN);
    if (name == 0 || len - DNS_HEADER_LEN - name < TYPE_AND_CLASS)
        return 0;
    return (uint16_t)(name + TYPE_AND_CLASS);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Lengths of labels are no letters; type and class are compared as they are. */
bool dns_question_is_same(const uint8_t *a, const uint8_t *b, uint16_t len)
{
    uint16_t name = len - TYPE_AND_CLASS;

    for (uint16_t i = 0; i < name; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return memcmp(a + name, b + name, TYPE_AND_CLASS) == 0;
}

enum dns_rcode dns_query_check(const uint8_t *query, uint32_t len)
{
    if (len < DNS_HEADER_LEN)
        return DNS_FORMERR;
    if (dns_opcode(query) != 0)
        return DNS_NOTIMP;
    if (dns_question_len(query, len) == 0 || dns_u16(query + AT_NR_ANSWERS) != 0)
        return DNS_FORMERR;
    return DNS_NOERROR;
}

void dns_query_size_limit(uint8_t *query, uint32_t len, uint16_t max)
{
    uint32_t at = DNS_HEADER_LEN + dns_question_len(query, len);
    uint8_t *opt = query + at;

    if (dns_u16(query + AT_NR_AUTHORITY) != 0 || dns_u16(query + AT_NR_ADDITIONAL) != 1 ||
        len - at < OPT_LEN_MIN || opt[0] != 0 || dns_u16(opt + OPT_AT_TYPE) != OPT_TYPE ||
        dns_u16(opt + OPT_AT_SIZE) <= max)
        return;
    opt[OPT_AT_SIZE] = (uint8_t)(max >> 8);
    opt[OPT_AT_SIZE + 1] = (uint8_t)max;
}

uint16_t dns_answer_make(const uint8_t *query, uint32_t len, enum dns_rcode rcode,
                         uint8_t *answer_r)
{
    uint16_t question_len = dns_question_len(query, len);

    memset(answer_r, 0, DNS_HEADER_LEN);
    memcpy(answer_r, query, 2);
    answer_r[2] = FLAG_ANSWER | (query[2] & FLAGS_KEPT);
    answer_r[3] = FLAG_RECURSION | (query[3] & FLAG_UNCHECKED) | (uint8_t)rcode;
    answer_r[AT_NR_QUESTIONS + 1] = question_len ? 1 : 0;
    memcpy(answer_r + DNS_HEADER_LEN, query + DNS_HEADER_LEN, question_len);
    return DNS_HEADER_LEN + question_len;
}
