/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "control.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cable.h"
#include "filter.h"
#include "framelog.h"
#include "hex.h"
#include "pcap.h"
#include "tap.h"

static const char *const direction_names[NR_DIRECTIONS] = { "from_nic", "to_nic" };

static void counts_print(FILE *out)
{
    uint64_t frames[NR_DIRECTIONS] = { 0 }, bytes[NR_DIRECTIONS] = { 0 };
    size_t nr;
    const struct frame_record *r = framelog_records(&nr);

    for (size_t i = 0; i < nr; i++) {
        frames[r[i].direction]++;
        bytes[r[i].direction] += r[i].len;
    }
    for (int d = 0; d < NR_DIRECTIONS; d++)
        fprintf(out, "%s frames=%" PRIu64 " bytes=%" PRIu64 "\n", direction_names[d], frames[d],
                bytes[d]);
    fprintf(out, "not_logged=%" PRIu64 "\n", framelog_lost());
}

static void gap_print(FILE *out, const struct filter *f)
{
    uint64_t nr_matches = 0, first = 0, last = 0, gap = 0, gap_start = 0;
    size_t nr;
    const struct frame_record *r = framelog_records(&nr);

    for (size_t i = 0; i < nr; i++) {
        if (!filter_match(f, &r[i]))
            continue;
        if (!nr_matches++) {
            first = r[i].ns;
        } else if (r[i].ns - last > gap) {
            gap = r[i].ns - last;
            gap_start = last;
        }
        last = r[i].ns;
    }
    fprintf(out,
            "frames=%" PRIu64 " first=%" PRIu64 " last=%" PRIu64 " gap=%" PRIu64
            " gap_start=%" PRIu64 "\n",
            nr_matches, first, last, gap, gap_start);
}

static void dump_print(FILE *out, const struct filter *f)
{
    size_t nr, left = f->limit;
    const struct frame_record *r = framelog_records(&nr);

    for (size_t i = 0; i < nr && left; i++) {
        if (!filter_match(f, &r[i]))
            continue;
        fprintf(out, "%" PRIu64 " %s %u ", r[i].ns, direction_names[r[i].direction], r[i].len);
        for (size_t b = 0; b < r[i].nr_head; b++)
            fprintf(out, "%02x", r[i].head[b]);
        fputc('\n', out);
        left--;
    }
}

static void frame_inject(FILE *out, const char *text)
{
    static uint8_t frame[FRAME_MAX];
    int len = hex_parse(text, frame, sizeof(frame));

    if (len < 0) {
        fprintf(out, "error: not the hex digits of at most %d bytes\n", FRAME_MAX);
        return;
    }
    if (!len || cable_send(frame, (size_t)len)) {
        fprintf(out, "error: the NIC takes no frame now (is QEMU connected?)\n");
        return;
    }
    pcap_add(framelog_add(TO_NIC, frame, (size_t)len), frame, (size_t)len);
    fprintf(out, "injected %d\n", len);
}

static void capture(FILE *out, const char *path)
{
    if (!strcmp(path, "off"))
        pcap_close();
    else if (pcap_open(path))
        fprintf(out, "error: cannot write %s\n", path);
}

static void vlan_make(FILE *out, const char *vid)
{
    if (tap_open_vlan((unsigned int)strtoul(vid, NULL, 10)))
        fprintf(out, "error: no tap for VLAN %s\n", vid);
}

static void query_answer(FILE *out, char *words, void (*print)(FILE *, const struct filter *))
{
    const char *bad;
    struct filter filter;

    if (filter_parse(&filter, words, &bad))
        fprintf(out, "error: filter word not understood: %s\n", bad);
    else
        print(out, &filter);
}

static void command_answer(FILE *out, char *line)
{
    char *words = line + strcspn(line, " ");

    if (*words)
        *words++ = '\0';
    if (!strcmp(line, "counts"))
        counts_print(out);
    else if (!strcmp(line, "gap"))
        query_answer(out, words, gap_print);
    else if (!strcmp(line, "dump"))
        query_answer(out, words, dump_print);
    else if (!strcmp(line, "inject"))
        frame_inject(out, words);
    else if (!strcmp(line, "pcap"))
        capture(out, words);
    else if (!strcmp(line, "vlan"))
        vlan_make(out, words);
    else
        fprintf(out, "error: unknown command %s\n", line);
}

int control_listen(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8)) {
        perror(path);
        exit(1);
    }
    return fd;
}

void control_serve(int listener)
{
    /* A client that says nothing must not stop the frames for long. */
    const struct timeval patience = { .tv_sec = 1 };
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    FILE *in, *out;
    char *line = NULL;
    size_t room = 0;

    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    in = fdopen(fd, "r");
    out = fdopen(dup(fd), "w");
    if (in && out && getline(&line, &room, in) > 0) {
        line[strcspn(line, "\n")] = '\0';
        command_answer(out, line);
    }
    if (out)
        fclose(out);
    if (in)
        fclose(in);
    free(line);
}
