/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Raw Ethernet frames of a guest.
 *
 *   frames send INTERFACE                    sends the frames on stdin, one a line, as hex digits
 *   frames repeat INTERFACE SECONDS          the same, over and over, a frame a millisecond
 *   frames watch INTERFACE SECONDS [@OFFSET=HEX...]
 *                                            prints the frames that arrive, as hex digits
 *   frames send-offload INTERFACE            sends frames that leave work to the interface, one a line:
 *                                            FLAGS CSUM_START CSUM_OFFSET GSO_TYPE GSO_SIZE HEX
 *   frames watch-offload INTERFACE SECONDS [@OFFSET=HEX...]
 *                                            watch in the form of send-offload
 *
 * watch prints "watching" first, and only frames that have all these bytes at these offsets; a frame's
 * VLAN tag is where it was on the wire. Each ends with a line "N frames".
 *
 * The numbers are decimal and those of struct virtio_net_hdr. FLAGS: 1, the checksum at CSUM_START +
 * CSUM_OFFSET is blank; 2 (watch-offload), somebody has verified it. GSO_TYPE: 0, or 1 or 4, TCP over IPv4 or
 * IPv6 to be cut into pieces of GSO_SIZE bytes of payload. Linux finishes itself what it takes its interface
 * not to understand, which is all behind VLAN tags and IPv6 extension headers. It is told here that all is
 * IPv4, so that it does not look, but for what it has to cut itself.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define FRAME_MAX 65536
#define MACS_LEN 12
#define TAG_LEN 4
#define REPEAT_MAX 64
#define REPEAT_LEN 2048

static void die(const char *what)
{
    fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit ? strchr(digits, tolower((unsigned char)digit)) : NULL;

    return at ? (int)(at - digits) : -1;
}

static int hex_parse(const char *text, uint8_t *bytes, size_t room)
{
    size_t n = 0;

    for (; n < room && digit_value(text[2 * n]) >= 0 && digit_value(text[2 * n + 1]) >= 0; n++)
        bytes[n] = (uint8_t)(digit_value(text[2 * n]) << 4 | digit_value(text[2 * n + 1]));
    return (int)n;
}

static int socket_open(const char *interface)
{
    struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    struct packet_mreq all = { .mr_type = PACKET_MR_PROMISC };
    int one = 1, room = 8 << 20;

    if (fd < 0)
        die("socket");
    at.sll_ifindex = all.mr_ifindex = (int)if_nametoindex(interface);
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
        die(interface);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one));
    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all));
    return fd;
}

static int frames_send(int fd)
{
    static char line[2 * FRAME_MAX + 2];
    static uint8_t frame[FRAME_MAX];
    unsigned int nr_sent = 0;

    while (fgets(line, sizeof(line), stdin)) {
        int len = hex_parse(line, frame, sizeof(frame));

        if (len && send(fd, frame, (size_t)len, 0) == len)
            nr_sent++;
        else if (len)
            fprintf(stderr, "frames: %d bytes: %s\n", len, strerror(errno));
    }
    printf("%u frames\n", nr_sent);
    return 0;
}

static void offload_ask(int fd)
{
    int one = 1;

    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
        die("PACKET_VNET_HDR");
}

static ssize_t offload_send(int fd, const char *interface, const char *line)
{
    static uint8_t frame[FRAME_MAX];
    struct sockaddr_ll to = { .sll_family = AF_PACKET };
    struct virtio_net_hdr head;
    struct iovec parts[] = { { &head, sizeof(head) }, { frame, 0 } };
    struct msghdr message = {
        .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts, .msg_iovlen = 2
    };
    int at = 0;

    memset(&head, 0, sizeof(head));
    if (sscanf(line, "%hhu %hu %hu %hhu %hu %n", &head.flags, &head.csum_start, &head.csum_offset,
               &head.gso_type, &head.gso_size, &at) != 5) {
        errno = EINVAL;
        return -1;
    }
    parts[1].iov_len = (size_t)hex_parse(line + at, frame, sizeof(frame));
    to.sll_ifindex = (int)if_nametoindex(interface);
    to.sll_protocol = htons(head.gso_type == VIRTIO_NET_HDR_GSO_TCPV6 ? ETH_P_IPV6 : ETH_P_IP);
    return sendmsg(fd, &message, 0);
}

static int frames_send_offload(int fd, const char *interface)
{
    static char line[2 * FRAME_MAX + 64];
    unsigned int nr_sent = 0, nr = 0;

    offload_ask(fd);
    for (; fgets(line, sizeof(line), stdin); nr++)
        if (offload_send(fd, interface, line) >= 0)
            nr_sent++;
        else
            fprintf(stderr, "frames: line %u: %s\n", nr + 1, strerror(errno));
    printf("%u frames\n", nr_sent);
    return nr_sent != nr;
}

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int frames_repeat(int fd, long ms)
{
    static char line[2 * FRAME_MAX + 2];
    static uint8_t frames[REPEAT_MAX][REPEAT_LEN];
    size_t lens[REPEAT_MAX], nr = 0;
    unsigned int nr_sent = 0;
    long until = now_ms() + ms;

    while (nr < REPEAT_MAX && fgets(line, sizeof(line), stdin))
        nr += (lens[nr] = (size_t)hex_parse(line, frames[nr], REPEAT_LEN)) > 0;
    for (size_t i = 0; nr && now_ms() < until; i = (i + 1) % nr) {
        if (send(fd, frames[i], lens[i], MSG_DONTWAIT) >= 0) /* not while the backend is away */
            nr_sent++;
        poll(NULL, 0, 1);
    }
    printf("%u frames\n", nr_sent);
    return 0;
}

/* One frame, its tag put back. head: NULL unless asked for. Returns its length; 0 for one that went out. */
static size_t frame_receive(int fd, uint8_t *frame, struct virtio_net_hdr *head)
{
    struct sockaddr_ll from;
    size_t head_len = head ? sizeof(*head) : 0;
    struct iovec parts[] = { { head, head_len }, { frame + TAG_LEN, FRAME_MAX - TAG_LEN } };
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
    struct msghdr message = { .msg_name = &from,
                              .msg_namelen = sizeof(from),
                              .msg_iov = parts,
                              .msg_iovlen = 2,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    ssize_t len = recvmsg(fd, &message, 0) - (ssize_t)head_len;
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    struct tpacket_auxdata aux;

    if (len < MACS_LEN || from.sll_pkttype == PACKET_OUTGOING)
        return 0;
    memset(&aux, 0, sizeof(aux));
    if (c && c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
        memcpy(&aux, CMSG_DATA(c), sizeof(aux));
    if (!(aux.tp_status & TP_STATUS_VLAN_VALID)) {
        memmove(frame, frame + TAG_LEN, (size_t)len);
        return (size_t)len;
    }
    memmove(frame, frame + TAG_LEN, MACS_LEN);
    frame[12] = (uint8_t)(aux.tp_vlan_tpid >> 8);
    frame[13] = (uint8_t)aux.tp_vlan_tpid;
    frame[14] = (uint8_t)(aux.tp_vlan_tci >> 8);
    frame[15] = (uint8_t)aux.tp_vlan_tci;
    if (head)
        head->csum_start += TAG_LEN;
    return (size_t)len + TAG_LEN;
}

static int frame_matches(const uint8_t *frame, size_t len, char **filters)
{
    for (; *filters; filters++) {
        uint8_t bytes[256];
        char *at;
        unsigned long offset = strtoul(*filters + 1, &at, 0);
        int n = *at == '=' ? hex_parse(at + 1, bytes, sizeof(bytes)) : 0;

        if (offset + (size_t)n > len || memcmp(frame + offset, bytes, (size_t)n))
            return 0;
    }
    return 1;
}

static int frames_watch(int fd, long ms, struct virtio_net_hdr *head, char **filters)
{
    static uint8_t frame[FRAME_MAX];
    struct pollfd poller = { .fd = fd, .events = POLLIN };
    long until = now_ms() + ms, left;
    unsigned int nr_seen = 0;

    if (head)
        offload_ask(fd);
    printf("watching\n");
    fflush(stdout);
    while ((left = until - now_ms()) > 0) {
        size_t len;

        if (poll(&poller, 1, (int)left) <= 0)
            continue;
        len = frame_receive(fd, frame, head);
        if (!len || !frame_matches(frame, len, filters))
            continue;
        if (head)
            printf("%u %u %u %u %u ", head->flags, head->csum_start, head->csum_offset,
                   head->gso_type, head->gso_size);
        for (size_t i = 0; i < len; i++)
            printf("%02x", frame[i]);
        printf("\n");
        fflush(stdout); /* whoever has seen enough ends us */
        nr_seen++;
    }
    printf("%u frames\n", nr_seen);
    return 0;
}

int main(int argc, char **argv)
{
    struct virtio_net_hdr head;

    if (argc == 3 && !strcmp(argv[1], "send"))
        return frames_send(socket_open(argv[2]));
    if (argc == 3 && !strcmp(argv[1], "send-offload"))
        return frames_send_offload(socket_open(argv[2]), argv[2]);
    if (argc == 4 && !strcmp(argv[1], "repeat"))
        return frames_repeat(socket_open(argv[2]), (long)(1000 * atof(argv[3])));
    if (argc >= 4 && !strcmp(argv[1], "watch"))
        return frames_watch(socket_open(argv[2]), (long)(1000 * atof(argv[3])), NULL, argv + 4);
    if (argc >= 4 && !strcmp(argv[1], "watch-offload"))
        return frames_watch(socket_open(argv[2]), (long)(1000 * atof(argv[3])), &head, argv + 4);
    fprintf(stderr, "usage: frames send INTERFACE | send-offload INTERFACE |\n"
                    "       repeat INTERFACE SECONDS |\n"
                    "       watch INTERFACE SECONDS [@OFFSET=HEX...] |\n"
                    "       watch-offload INTERFACE SECONDS [@OFFSET=HEX...]\n");
    return 2;
}
