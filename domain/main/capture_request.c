/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "main/capture.h"

/* libpcap's own check (bpf_filter.o of libpcap.a): conditional jumps and loads stay inside, the last instruction returns. */
#define JUMP_ALWAYS 0x05
int bpf_validate(const struct ferry_bpf *program, int nr);

/* All that the interpreter knows; of any other it would call abort(). Source: pcap/bpf.h. */
static const uint8_t codes[] = {
    0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, /* ld */
    0x01, 0x61, 0x81, 0xb1, /* ldx */
    0x02, 0x03, /* st, stx */
    0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, /* arithmetic */
    0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac, 0x05,
    0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, /* jumps */
    0x06, 0x16, /* ret */
    0x07, 0x87, /* tax, txa */
};

/* A jump always leads forward and stays inside, so a program ends: bpf_validate() lets backward ones pass. */
static bool is_jump_back(const struct ferry_bpf *instruction, unsigned int nr_behind)
{
    return instruction->code == JUMP_ALWAYS && instruction->k >= nr_behind;
}

static bool is_known(const struct ferry_bpf *instruction)
{
    return instruction->code <= UINT8_MAX && memchr(codes, instruction->code, sizeof(codes));
}

static const char *word_take(const char **at, const char *end, size_t *len_r)
{
    const char *word = *at;

    while (*at < end && **at != ' ')
        (*at)++;
    *len_r = (size_t)(*at - word);
    if (*at < end)
        (*at)++;
    return word;
}

static int number_take(const char **at, const char *end, uint32_t max, uint32_t *number_r)
{
    uint64_t number = 0;
    size_t len;
    const char *word = word_take(at, end, &len);

    if (len == 0 || len > 10)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (word[i] < '0' || word[i] > '9')
            return -EINVAL;
        number = number * 10 + (uint64_t)(word[i] - '0');
    }
    if (number == 0 || number > max)
        return -EINVAL;
    *number_r = (uint32_t)number;
    return 0;
}

static int port_take(const char **at, const char *end, struct capture_request *request)
{
    static const char prefix[] = "bridge:";
    size_t len;
    const char *word = word_take(at, end, &len);

    request->is_bridge = len > sizeof(prefix) - 1 && memcmp(word, prefix, sizeof(prefix) - 1) == 0;
    if (request->is_bridge) {
        word += sizeof(prefix) - 1;
        len -= sizeof(prefix) - 1;
    }
    if (len == 0 || len >= sizeof(request->port))
        return -EINVAL;
    memcpy(request->port, word, len);
    request->port[len] = '\0';
    return 0;
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int program_take(const char **at, const char *end, struct capture_request *request)
{
    size_t len, size = sizeof(struct ferry_bpf);
    const char *word = word_take(at, end, &len);
    uint8_t *bytes = (uint8_t *)request->program;

    request->nr_program = 0;
    if (len == 1 && *word == '-')
        return 0;
    if (len == 0 || len % (2 * size) || len / (2 * size) > FERRY_CAPTURE_PROGRAM_MAX)
        return -EINVAL;
    for (size_t i = 0; i < len / 2; i++) {
        int high = nibble(word[2 * i]), low = nibble(word[2 * i + 1]);

        if (high < 0 || low < 0)
            return -EINVAL;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    request->nr_program = (unsigned int)(len / (2 * size));
    for (unsigned int i = 0; i < request->nr_program; i++)
        if (!is_known(&request->program[i]) ||
            is_jump_back(&request->program[i], request->nr_program - i - 1))
            return -EINVAL;
    return bpf_validate(request->program, (int)request->nr_program) ? 0 : -EINVAL;
}

int capture_request_parse(const char *text, size_t len, struct capture_request *request_r,
                          const char **why_r)
{
    const char *at = text, *end = text + len;

    if (number_take(&at, end, UINT32_MAX, &request_r->id)) {
        request_r->id = 0;
        *why_r = "the request has no number";
        return -EINVAL;
    }
    *why_r = "the port's name makes no sense";
    if (port_take(&at, end, request_r))
        return -EINVAL;
    *why_r = "the snapshot length makes no sense";
    if (number_take(&at, end, FERRY_CAPTURE_SNAPLEN_MAX, &request_r->snaplen))
        return -EINVAL;
    *why_r = "the filter is no program that ends, or too long";
    if (program_take(&at, end, request_r) || at != end)
        return -EINVAL;
    return 0;
}
