/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int root_open(const char *path, struct root *root_r)
{
    char *real = realpath(path, NULL);
    int err = 0;

    root_r->fd = -1;
    if (!real)
        return -errno;
    if (strlen(real) >= sizeof(root_r->path))
        err = -ENAMETOOLONG;
    else
        snprintf(root_r->path, sizeof(root_r->path), "%s", strcmp(real, "/") ? real : "");
    if (!err) {
        root_r->fd = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
        err = root_r->fd < 0 ? -errno : 0;
    }
    free(real);
    return err;
}

void root_close(struct root *root)
{
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
}

static int open_in(const struct root *root, const char *path, int flags)
{
    const struct open_how how = { .flags = (unsigned int)flags | O_CLOEXEC,
                                  .resolve = RESOLVE_IN_ROOT };
    long fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));

    return fd < 0 ? -errno : (int)fd;
}

int root_resolve(const struct root *root, const char *path, char real_r[FILES_PATH_SIZE])
{
    char link[64], real[FILES_PATH_SIZE + 1];
    size_t before = strlen(root->path);
    int fd = open_in(root, path, O_PATH);
    ssize_t len;

    if (fd < 0)
        return fd;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, real, sizeof(real));
    close(fd);
    if (len < 0)
        return -errno;
    if ((size_t)len >= sizeof(real))
        return -ENAMETOOLONG;
    real[len] = '\0';
    if (strncmp(real, root->path, before) != 0 || real[before] != '/')
        return -EXDEV;
    snprintf(real_r, FILES_PATH_SIZE, "%s", real + before);
    return 0;
}

int root_read(const struct root *root, const char *path, size_t max, char **data_r, size_t *len_r)
{
    char link[64];
    struct stat st;
    int fd = open_in(root, path, O_RDONLY | O_NONBLOCK), err;

    if (fd < 0)
        return fd;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (fstat(fd, &st))
        err = -errno;
    else if (!S_ISREG(st.st_mode))
        err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    else if (st.st_size > 0 && (size_t)st.st_size > max)
        err = -EFBIG;
    else /* files of sysfs say that they have a page, or nothing */
        err = files_read(link, st.st_size > 0 ? (size_t)st.st_size + 1 : 4096, data_r, len_r);
    close(fd);
    return err;
}

bool root_has(const struct root *root, const char *path)
{
    int fd = open_in(root, path, O_PATH);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}
