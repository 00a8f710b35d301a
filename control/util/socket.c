/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/files.h"

#define TEXT_MAX 262144
#define PATIENCE_S 2 /* for a client's line */
#define ANSWER_S 60 /* a recovery may be under way */

static void address_set(struct sockaddr_un *address)
{
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    snprintf(address->sun_path, sizeof(address->sun_path), "%s/ferryd.sock", files_run_dir());
}

int socket_listen(void)
{
    struct sockaddr_un address;
    int fd, err = files_dir_make(files_run_dir());
    mode_t mask;

    if (err)
        return err;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    address_set(&address);
    unlink(address.sun_path);
    mask = umask(0177);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8))
        err = -errno;
    umask(mask);
    if (err) {
        close(fd);
        return err;
    }
    return fd;
}

static void patience_set(int fd, int option, time_t seconds)
{
    struct timeval limit = { seconds, 0 };

    setsockopt(fd, SOL_SOCKET, option, &limit, sizeof(limit));
}

static bool is_root(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == 0;
}

static int send_all(int fd, const char *text)
{
    size_t len = strlen(text);

    while (len) {
        ssize_t put = send(fd, text, len, MSG_NOSIGNAL);

        if (put <= 0)
            return -EIO;
        text += put;
        len -= (size_t)put;
    }
    return 0;
}

void socket_serve(int listener, char *(*answer)(void *ctx, const char *line), void *ctx)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    char line[SOCKET_LINE_SIZE], *text;
    ssize_t len;

    if (fd < 0)
        return;
    patience_set(fd, SO_RCVTIMEO, PATIENCE_S);
    patience_set(fd, SO_SNDTIMEO, PATIENCE_S);
    len = is_root(fd) ? recv(fd, line, sizeof(line) - 1, 0) : -1;
    if (len > 0) {
        line[len] = '\0';
        line[strcspn(line, "\n")] = '\0';
        text = answer(ctx, line);
        if (text)
            send_all(fd, text);
        free(text);
    }
    close(fd);
}

static int text_receive(int fd, char **text_r)
{
    char *text = malloc(TEXT_MAX + 1);
    size_t len = 0;
    ssize_t got = 1;

    if (!text)
        return -ENOMEM;
    while (got > 0 && len < TEXT_MAX) {
        got = recv(fd, text + len, TEXT_MAX - len, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    text[len] = '\0';
    if (got < 0 || len == 0) {
        free(text);
        return -EIO;
    }
    *text_r = text;
    return 0;
}

int socket_ask(const char *line, char **text_r)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;
    char asked[SOCKET_LINE_SIZE];

    if (fd < 0)
        return -errno;
    address_set(&address);
    patience_set(fd, SO_RCVTIMEO, ANSWER_S);
    snprintf(asked, sizeof(asked), "%s\n", line);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
        err = -errno;
    if (!err)
        err = send_all(fd, asked);
    if (!err)
        err = text_receive(fd, text_r);
    close(fd);
    return err;
}
