/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS messages (RFC 1035, 4) as far as a forwarder looks at them: the header and the one question. Pure.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <stdbool.h>
#include <stdint.h>

#define DNS_HEADER_LEN 12
#define DNS_QUESTION_MAX 259 /* a name of 255 bytes, type, class */

enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
};

/* The rest is for messages that have a whole header. */

static inline uint16_t dns_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint16_t dns_id(const uint8_t *message)
{
    return dns_u16(message);
}

static inline void dns_id_set(uint8_t *message, uint16_t id)
{
    message[0] = (uint8_t)(id >> 8);
    message[1] = (uint8_t)id;
}

static inline bool dns_is_answer(const uint8_t *message)
{
    return (message[2] & 0x80) != 0;
}

/* 0 is a query; others are for administration. */
static inline uint8_t dns_opcode(const uint8_t *message)
{
    return message[2] >> 3 & 15;
}

static inline uint8_t dns_rcode(const uint8_t *message)
{
    return message[3] & 15;
}

/*
 * The length of the question of a message, which begins behind the header. Returns 0 if there are none or several, if
 * it is cut off, or if its name is no sequence of labels (a compressed one, say) or too long.
 */
uint16_t dns_question_len(const uint8_t *message, uint32_t len);

/* Are two questions of the same length the same? The case of letters does not matter (RFC 4343). */
bool dns_question_is_same(const uint8_t *a, const uint8_t *b, uint16_t len);

/*
 * Can a message be a query: nothing but a question, and records that are additional, or in an authority section
 * (RFC 1995)? It need not have a header. Returns DNS_NOERROR, or what is to be said about it.
 */
enum dns_rcode dns_query_check(const uint8_t *query, uint32_t len);

/*
 * Lower the size of answers that a query says can be taken (RFC 6891, 6.2.3), if that is all that its additional
 * records say: a signed query stays as it is.
 */
void dns_query_size_limit(uint8_t *query, uint32_t len, uint16_t max);

/*
 * Make an answer without records.
 *
 *   query     with its header, and the question that dns_question_len() finds, if any
 *   answer_r  DNS_HEADER_LEN + DNS_QUESTION_MAX bytes
 *
 * Returns its length.
 */
uint16_t dns_answer_make(const uint8_t *query, uint32_t len, enum dns_rcode rcode,
                         uint8_t *answer_r);

/* Say that an answer is truncated. */
static inline void dns_truncated_set(uint8_t *answer)
{
    answer[2] |= 0x02;
}

#endif
