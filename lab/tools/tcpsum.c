/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP transfers with a SHA-256 on both ends.
 *
 *   tcpsum serve PORT NR_CONNECTIONS
 *   tcpsum send HOST PORT BYTES      the client sends
 *   tcpsum recv HOST PORT BYTES      the server sends
 *
 * Each end prints "<sha256> <bytes>" when a transfer is over.  The client
 * starts with 16 bytes: its direction and the length, as text.  SIGINT to either
 * ends the transfer early and in order: both ends then print what it came to.
 * HOST is an IPv4 or IPv6 address; the server listens at both.
 *
 * Each 8 bytes follow from the 8 before them, so that a receiver also finds where something else
 * arrived; it says so on stderr.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sha256.h"

#define CHUNK 65536
#define HEADER_LEN 16

static volatile sig_atomic_t asked_to_end;

static void end_asked(int number)
{
    (void)number;
    asked_to_end = 1;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t word_after(uint64_t x)
{
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* Not compressible and different each time, so that stale data shows. */
static void chunk_fill(uint64_t *words)
{
    static uint64_t x;

    if (!x)
        x = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid() ^ 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < CHUNK / sizeof(*words); i++)
        words[i] = x = word_after(x);
}

/* What a receiver knows of the stream. */
struct check {
    uint64_t word, wanted; /* being filled; what it should become, once the first has come */
    uint64_t nr_bytes;
    uint64_t wrong_from, nr_wrong; /* the run of wrong words that lasts */
};

static void wrong_end(struct check *check)
{
    if (check->nr_wrong)
        fprintf(stderr, "tcpsum: %llu bytes from %llu on are not those that were sent\n",
                (unsigned long long)check->nr_wrong * sizeof(check->word),
                (unsigned long long)check->wrong_from);
    check->nr_wrong = 0;
}

static void word_check(struct check *check)
{
    uint64_t at = check->nr_bytes - sizeof(check->word);

    if (at == 0)
        check->wanted = check->word;
    if (check->word == check->wanted) {
        wrong_end(check);
    } else if (check->nr_wrong++ == 0) {
        check->wrong_from = at;
        fprintf(stderr, "tcpsum: at %llu came %016llx, not %016llx\n", (unsigned long long)at,
                (unsigned long long)check->word, (unsigned long long)check->wanted);
    }
    check->wanted = word_after(check->wanted);
}

static void check_data(struct check *check, const char *data, size_t len)
{
    while (len) {
        size_t have = check->nr_bytes % sizeof(check->word), n = sizeof(check->word) - have;

        if (n > len)
            n = len;
        memcpy((char *)&check->word + have, data, n);
        check->nr_bytes += n;
        data += n;
        len -= n;
        if (have + n == sizeof(check->word))
            word_check(check);
    }
}

static void write_all(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            die("tcpsum: write");
        p += n;
        len -= (size_t)n;
    }
}

static void sum_print(struct sha256 *sum, uint64_t nr_bytes)
{
    char hex[SHA256_HEX_LEN + 1];

    sha256_final_hex(sum, hex);
    printf("%s %llu\n", hex, (unsigned long long)nr_bytes);
    fflush(stdout);
}

/* The receiver has closed its side: it wants no more. */
static int peer_wants_end(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void transfer_send(int fd, uint64_t nr_bytes)
{
    static uint64_t chunk[CHUNK / sizeof(uint64_t)];
    struct sha256 sum;
    uint64_t sent = 0;
    char byte;

    sha256_init(&sum);
    while (sent < nr_bytes && !asked_to_end && !peer_wants_end(fd)) {
        size_t n = nr_bytes - sent < CHUNK ? (size_t)(nr_bytes - sent) : CHUNK;

        chunk_fill(chunk);
        sha256_update(&sum, chunk, n);
        write_all(fd, chunk, n);
        sent += n;
    }
    shutdown(fd, SHUT_WR);
    while (read(fd, &byte, 1) > 0)
        ; /* wait until the peer has all of it and closes */
    sum_print(&sum, sent);
}

static void transfer_receive(int fd)
{
    static char chunk[CHUNK];
    struct check check = { 0 };
    struct sha256 sum;
    int told = 0;
    ssize_t n;

    sha256_init(&sum);
    while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (asked_to_end && !told)
            told = !shutdown(fd, SHUT_WR);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("tcpsum: read");
        sha256_update(&sum, chunk, (size_t)n);
        check_data(&check, chunk, (size_t)n);
    }
    wrong_end(&check);
    sum_print(&sum, check.nr_bytes);
}

static void connection_serve(int fd)
{
    char header[HEADER_LEN + 1] = "";
    size_t have = 0;

    while (have < HEADER_LEN) {
        ssize_t n = read(fd, header + have, HEADER_LEN - have);

        if (n <= 0)
            die("tcpsum: header");
        have += (size_t)n;
    }
    if (header[0] == 's')
        transfer_receive(fd);
    else
        transfer_send(fd, strtoull(header + 1, NULL, 10));
    close(fd);
}

static void serve(const char *port, int nr_connections)
{
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
    int fd = socket(AF_INET6, SOCK_STREAM, 0), one = 1, zero = 0;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 8))
        die("tcpsum: listen");
    printf("listening\n");
    fflush(stdout);
    while (nr_connections--) {
        int peer = accept(fd, NULL, NULL);

        if (peer < 0)
            die("tcpsum: accept");
        connection_serve(peer);
    }
}

static int connect_to(const char *host, const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = to.sin_port };
    int is_v6 = inet_pton(AF_INET6, host, &to6.sin6_addr) == 1, fd;

    if (!is_v6 && inet_pton(AF_INET, host, &to.sin_addr) != 1)
        die("tcpsum: address");
    fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (connect(fd, is_v6 ? (void *)&to6 : (void *)&to, is_v6 ? sizeof(to6) : sizeof(to)))
        die("tcpsum: connect");
    return fd;
}

static void client(const char *direction, char **argv)
{
    int fd = connect_to(argv[0], argv[1]);
    char header[HEADER_LEN + 1];

    snprintf(header, sizeof(header), "%c%-15.15s", direction[0], argv[2]);
    write_all(fd, header, HEADER_LEN);
    if (direction[0] == 's')
        transfer_send(fd, strtoull(argv[2], NULL, 10));
    else
        transfer_receive(fd);
    close(fd);
}

int main(int argc, char **argv)
{
    const struct sigaction end = { .sa_handler = end_asked };

    sigaction(SIGINT, &end, NULL);
    if (argc == 4 && !strcmp(argv[1], "serve")) {
        serve(argv[2], atoi(argv[3]));
        return 0;
    }
    if (argc == 5 && (!strcmp(argv[1], "send") || !strcmp(argv[1], "recv"))) {
        client(argv[1], argv + 2);
        return 0;
    }
    fprintf(stderr, "usage: tcpsum serve PORT NR | tcpsum send|recv HOST PORT BYTES\n");
    return 2;
}
