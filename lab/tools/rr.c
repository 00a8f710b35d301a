/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and responses of one byte over one TCP connection, one at a time.
 *
 *   rr serve PORT                      answers, one client after the other
 *   rr ask ADDRESS PORT MILLISECONDS   asks meanwhile, then prints on one line how often, and of the times
 *                                      it took, in microseconds: min, median, 99th percentile, max
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TIMES_MAX 1000000u

static int fail(const char *what)
{
    fprintf(stderr, "rr: %s: %s\n", what, strerror(errno));
    return 1;
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void nodelay(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static int serve(struct sockaddr_in *at)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (listener < 0 || bind(listener, (struct sockaddr *)at, sizeof(*at)) != 0 ||
        listen(listener, 1) != 0)
        return fail("listening");
    puts("listening");
    fflush(stdout);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        char byte;

        if (fd < 0)
            return fail("accept");
        nodelay(fd);
        while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
            ;
        close(fd);
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static int ask(struct sockaddr_in *at, uint64_t milliseconds)
{
    static uint32_t times[TIMES_MAX];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    uint64_t end;
    size_t nr = 0;
    char byte = 0;

    if (fd < 0 || connect(fd, (struct sockaddr *)at, sizeof(*at)) != 0)
        return fail("connecting");
    nodelay(fd);
    end = now_us() + milliseconds * 1000;
    while (nr < TIMES_MAX) {
        uint64_t asked = now_us();

        if (asked >= end)
            break;
        if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
            return fail("the connection");
        times[nr++] = (uint32_t)(now_us() - asked);
    }
    if (nr == 0)
        return fail("no time to ask");
    qsort(times, nr, sizeof(times[0]), by_size);
    printf("%zu %u %u %u %u\n", nr, times[0], times[nr / 2], times[nr - 1 - nr / 100],
           times[nr - 1]);
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = { .sin_family = AF_INET };

    if (argc == 3 && strcmp(argv[1], "serve") == 0) {
        at.sin_port = htons((uint16_t)atoi(argv[2]));
        return serve(&at);
    }
    if (argc == 5 && strcmp(argv[1], "ask") == 0 &&
        inet_pton(AF_INET, argv[2], &at.sin_addr) == 1) {
        at.sin_port = htons((uint16_t)atoi(argv[3]));
        return ask(&at, strtoull(argv[4], NULL, 10));
    }
    fprintf(stderr, "usage: rr serve PORT | rr ask ADDRESS PORT MILLISECONDS\n");
    return 2;
}
