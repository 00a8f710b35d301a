/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw frames that are all different, as fast as may be.
 *
 *   flood INTERFACE SECONDS BURST      BURST frames, a pause of a millisecond, and so on
 *
 * On stdin there is one model of a frame a line, as hex digits, and which of its bytes change:
 *
 *   HEX [@OFFSET:LEN[%MODULUS]]...
 *
 * The models take turns. To the number of LEN bytes (4 at most) at OFFSET is added how often the model was
 * used, modulo MODULUS; what does not fit is cut. An IPv4 header's checksum is right again after that.
 *
 * Prints "N frames" after every 250, and at the end: when time is up, or by SIGTERM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MODELS_MAX 16
#define FRAME_MAX 2048
#define FIELDS_MAX 8
#define TELL_EVERY 250
#define ETH_LEN 14

struct field {
    size_t offset, len;
    unsigned long modulus; /* 0: none */
};

struct model {
    uint8_t frame[FRAME_MAX];
    size_t len;
    struct field fields[FIELDS_MAX];
    size_t nr_fields;
};

static volatile sig_atomic_t asked_to_end;

static void end_asked(int number)
{
    (void)number;
    asked_to_end = 1;
}

static void die(const char *what)
{
    fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int socket_open(const char *interface)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET };
    int fd = socket(AF_PACKET, SOCK_RAW, 0);

    if (fd < 0)
        die("socket");
    at.sll_ifindex = (int)if_nametoindex(interface);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
        die(interface);
    return fd;
}

static int model_parse(struct model *model, const char *line)
{
    unsigned int byte;

    memset(model, 0, sizeof(*model));
    for (; model->len < FRAME_MAX && sscanf(line, "%2x", &byte) == 1; line += 2)
        model->frame[model->len++] = (uint8_t)byte;
    while ((line = strchr(line, '@')) && model->nr_fields < FIELDS_MAX) {
        struct field *field = &model->fields[model->nr_fields++];

        if (sscanf(++line, "%zu:%zu%%%lu", &field->offset, &field->len, &field->modulus) < 2 ||
            field->len > 4 || field->offset + field->len > model->len)
            return -1;
    }
    return model->len > ETH_LEN ? 0 : -1;
}

static void field_change(uint8_t *frame, const struct field *field, unsigned long n)
{
    uint64_t sum = field->modulus ? n % field->modulus : n;

    for (size_t i = field->len; i-- > 0; sum >>= 8) {
        sum += frame[field->offset + i];
        frame[field->offset + i] = (uint8_t)sum;
    }
}

static void checksum_put(uint8_t *frame, size_t len)
{
    uint8_t *ip = frame + ETH_LEN;
    size_t header = len > ETH_LEN ? 4u * (ip[0] & 15) : 0;
    uint32_t sum = 0;

    if (frame[12] != 0x08 || frame[13] != 0x00 || header < 20 || ETH_LEN + header > len)
        return;
    ip[10] = ip[11] = 0;
    for (size_t i = 0; i < header; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~(sum + (sum >> 16));
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
}

static int model_send(int fd, const struct model *model, unsigned long n)
{
    static uint8_t frame[FRAME_MAX];

    memcpy(frame, model->frame, model->len);
    for (size_t i = 0; i < model->nr_fields; i++)
        field_change(frame, &model->fields[i], n);
    checksum_put(frame, model->len);
    return send(fd, frame, model->len, MSG_DONTWAIT) == (ssize_t)model->len;
}

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned long tell(unsigned long nr_sent)
{
    printf("%lu frames\n", nr_sent);
    fflush(stdout);
    return nr_sent;
}

static void flood(int fd, const struct model *models, size_t nr, long ms, unsigned long burst)
{
    unsigned long nr_sent = 0, told = 0;
    long until = now_ms() + ms;

    while (!asked_to_end && now_ms() < until) {
        /* What finds no room is sent after the pause. */
        for (unsigned long i = 0; i < burst; i++) {
            if (!model_send(fd, &models[nr_sent % nr], nr_sent / nr))
                break;
            nr_sent++;
        }
        if (nr_sent - told >= TELL_EVERY)
            told = tell(nr_sent);
        poll(NULL, 0, 1);
    }
    tell(nr_sent);
}

int main(int argc, char **argv)
{
    static struct model models[MODELS_MAX];
    static char line[2 * FRAME_MAX + 256];
    const struct sigaction end = { .sa_handler = end_asked };
    size_t nr = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: flood INTERFACE SECONDS BURST\n");
        return 2;
    }
    sigaction(SIGTERM, &end, NULL);
    while (nr < MODELS_MAX && fgets(line, sizeof(line), stdin)) {
        if (model_parse(&models[nr++], line)) {
            fprintf(stderr, "flood: line %zu is no model\n", nr);
            return 2;
        }
    }
    if (nr)
        flood(socket_open(argv[1]), models, nr, (long)(1000 * atof(argv[2])),
              strtoul(argv[3], NULL, 10));
    return 0;
}
