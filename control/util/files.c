/* SPDX-License-Identifier: BSD-2-Clause */
#include "util/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/paths.h"

#define COPY_SIZE 65536 /* kernels and ramdisks are larger than what a small dom0 has to spare */

static const char *dir_of(const char *variable, const char *otherwise)
{
    const char *value = getenv(variable);

    return value && *value == '/' ? value : otherwise;
}

const char *files_state_dir(void)
{
    return dir_of("FERRY_STATE_DIR", PATHS_STATE);
}

const char *files_run_dir(void)
{
    return dir_of("FERRY_RUN_DIR", PATHS_RUN);
}

const char *files_config_dir(void)
{
    return dir_of("FERRY_CONFIG_DIR", PATHS_CONFIG);
}

const char *files_console_dir(void)
{
    return dir_of("FERRY_CONSOLE_DIR", "/var/log/xen/console");
}

const char *files_debug_dir(void)
{
    return dir_of("FERRY_DEBUG_DIR", PATHS_DEBUG);
}

const char *files_kernel_dir(void)
{
    return dir_of("FERRY_KERNEL_DIR", PATHS_KERNELS);
}

bool files_name_ok(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

    return len > 0 && len <= FILES_NAME_MAX && name[len] == '\0' && name[0] != '.' &&
           name[0] != '-';
}

int files_dir_make(const char *path)
{
    return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int read_from(const char *path, size_t max, bool tail, char **data_r, size_t *len_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    char *data = NULL;
    size_t len = 0;

    if (fd < 0)
        return -errno;
    if (tail && lseek(fd, -(off_t)max, SEEK_END) < 0)
        (void)lseek(fd, 0, SEEK_SET); /* it is shorter */
    data = malloc(max + 2);
    if (!data)
        err = -ENOMEM;
    while (!err && len <= max) {
        ssize_t got = read(fd, data + len, max + 1 - len);

        if (got < 0 && errno != EINTR)
            err = -errno;
        if (got == 0)
            break;
        if (got > 0)
            len += (size_t)got;
    }
    close(fd);
    if (!err && len > max) {
        if (tail)
            len = max;
        else
            err = -EFBIG;
    }
    if (err) {
        free(data);
        return err;
    }
    data[len] = '\0';
    *data_r = realloc(data, len + 1);
    if (!*data_r)
        *data_r = data;
    if (len_r)
        *len_r = len;
    return 0;
}

int files_read(const char *path, size_t max, char **data_r, size_t *len_r)
{
    return read_from(path, max, false, data_r, len_r);
}

int files_read_tail(const char *path, size_t max, char **data_r, size_t *len_r)
{
    return read_from(path, max, true, data_r, len_r);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t put = write(fd, data, len);

        if (put < 0 && errno != EINTR)
            return -errno;
        if (put > 0) {
            data += put;
            len -= (size_t)put;
        }
    }
    return 0;
}

/* A name in a directory is on the disk when the directory is. */
static int directory_sync(const char *path)
{
    char directory[FILES_PATH_SIZE];
    char *slash;
    int fd, err = 0;

    snprintf(directory, sizeof(directory), "%s", path);
    slash = strrchr(directory, '/');
    if (!slash)
        return 0;
    slash[slash == directory] = '\0';
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fsync(fd) && errno != EINVAL)
        err = -errno;
    close(fd);
    return err;
}

static int put(const char *path, const void *data, size_t len, bool sync)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err;

    if (fd < 0)
        return -errno;
    err = write_all(fd, data, len);
    if (!err && sync && fsync(fd))
        err = -errno;
    if (close(fd) && !err) /* where a network's disk tells that it is full */
        err = -errno;
    return err;
}

static int replace(const char *path, const void *data, size_t len, bool sync)
{
    char aside[FILES_PATH_SIZE + 8];
    int err;

    snprintf(aside, sizeof(aside), "%s.new", path);
    err = put(aside, data, len, sync);
    if (!err && rename(aside, path))
        err = -errno;
    if (err)
        unlink(aside);
    else if (sync)
        err = directory_sync(path);
    return err;
}

int files_write(const char *path, const void *data, size_t len)
{
    return replace(path, data, len, true);
}

int files_write_quick(const char *path, const void *data, size_t len)
{
    return replace(path, data, len, false);
}

int files_write_new(const char *path, const void *data, size_t len)
{
    char aside[FILES_PATH_SIZE + 8];
    int err;

    snprintf(aside, sizeof(aside), "%s.new", path);
    err = put(aside, data, len, true);
    if (!err && link(aside, path)) /* unlike rename(), it replaces nothing */
        err = -errno;
    unlink(aside);
    return err ? err : directory_sync(path);
}

/* Returns 0 or a negative errno, with culprit_r set. */
static int pump(int from, int to, size_t max, bool *is_target_r)
{
    static char bytes[COPY_SIZE];
    size_t len = 0;
    int err = 0;

    while (!err) {
        ssize_t got = read(from, bytes, sizeof(bytes));

        *is_target_r = false;
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            err = -errno;
        if (got <= 0)
            continue;
        len += (size_t)got;
        if (len > max)
            return -EFBIG;
        *is_target_r = true;
        err = write_all(to, bytes, (size_t)got);
    }
    if (err)
        return err;
    *is_target_r = true;
    return fsync(to) ? -errno : 0;
}

static int copy_aside(int from, const char *aside, size_t max, bool *is_target_r)
{
    int to = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err;

    *is_target_r = true;
    if (to < 0)
        return -errno;
    err = pump(from, to, max, is_target_r);
    if (close(to) && !err)
        err = -errno;
    return err;
}

int files_copy(const char *from, const char *to, size_t max, const char **culprit_r)
{
    char aside[FILES_PATH_SIZE + 8];
    int fd = open(from, O_RDONLY | O_CLOEXEC), err;
    bool is_target;

    *culprit_r = from;
    if (fd < 0)
        return -errno;
    snprintf(aside, sizeof(aside), "%s.new", to);
    err = copy_aside(fd, aside, max, &is_target);
    close(fd);
    if (!err && rename(aside, to))
        err = -errno;
    if (err)
        unlink(aside);
    else
        err = directory_sync(to);
    if (is_target)
        *culprit_r = to;
    return err;
}

const char *files_todo(int err)
{
    switch (err) {
    case -ENOSPC:
        return "; make room on its file system (`df` shows it), then again";
    case -EDQUOT:
        return "; the quota there is used up: make room, then again";
    case -EROFS:
        return "; its file system is read-only: `dmesg` may say why, `mount -o remount,rw` changes "
               "it";
    case -EACCES:
    case -EPERM:
        return "; who runs this may not: is it root, outside of any confinement?";
    case -EFBIG:
        return "; more than a file may be long: `ulimit -f` shows the limit";
    default:
        return "";
    }
}

int files_read_line(const char *path, char *line, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0)
        return -errno;
    got = read(fd, line, size - 1);
    close(fd);
    if (got < 0)
        return -EIO;
    line[got] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return (int)strlen(line);
}

int files_lock(const char *name, bool wait)
{
    char path[FILES_PATH_SIZE];
    int fd, err = files_dir_make(files_run_dir());

    if (err)
        return err;
    snprintf(path, sizeof(path), "%s/%s.lock", files_run_dir(), name);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) {
        err = errno == EWOULDBLOCK ? -EAGAIN : -errno;
        close(fd);
        return err;
    }
    return fd;
}

void files_standard_open(void)
{
    int fd;

    signal(SIGXFSZ, SIG_IGN);
    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}
