/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/storelink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <xenstore_lib.h>

int storelink_open(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd, err = 0;

    if (!path)
        path = xs_daemon_socket();
    if (!path || strlen(path) >= sizeof(address.sun_path))
        return -ENOENT;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
        err = -errno;
    if (err)
        close(fd);
    return err ? err : fd;
}

bool storelink_is_lost(int fd)
{
    char nobody_asked[256];
    ssize_t got = recv(fd, nobody_asked, sizeof(nobody_asked), MSG_DONTWAIT);

    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}
