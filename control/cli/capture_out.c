/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/capture_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/files.h"
#include "util/log.h"

static bool is_file(const struct capture_out *out)
{
    struct stat is;

    return fstat(fileno(out->file), &is) == 0 && S_ISREG(is.st_mode);
}

int capture_out_open(struct capture_out *out)
{
    int fd;

    out->file = stdout;
    if (strcmp(out->path, "-") == 0)
        return 0;
    out->is_new = access(out->path, F_OK) != 0;
    fd = open(out->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    out->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (out->file)
        return 0;
    log_line("%s: %s%s", out->path, strerror(errno), files_todo(-errno));
    return -EIO;
}

void capture_out_drop(struct capture_out *out)
{
    if (out->is_new)
        unlink(out->path);
}

void capture_out_begin(struct capture_out *out)
{
    if (out->file != stdout && is_file(out) && ftruncate(fileno(out->file), 0))
        log_line("%s: %s", out->path, strerror(errno));
    out->whole = ftello(out->file);
    errno = 0;
}

/* What could not be written whole is taken away again. */
static bool failed(struct capture_out *out, int err)
{
    int fd = fileno(out->file);

    out->has_failed = true;
    log_line("%s: %s%s; the capture ends, and what was written before stays",
             out->file == stdout ? "standard output" : out->path, strerror(err), files_todo(-err));
    __fpurge(out->file);
    if (out->whole >= 0 && is_file(out) &&
        (ftruncate(fd, out->whole) || lseek(fd, out->whole, SEEK_SET) < 0))
        log_line("%s: its last block is not whole: %s", out->path, strerror(errno));
    return false;
}

bool capture_out_block_end(struct capture_out *out)
{
    if (!out->has_failed && ferror(out->file))
        return failed(out, errno ? errno : EIO);
    return !out->has_failed;
}

bool capture_out_flush(struct capture_out *out)
{
    if (out->has_failed)
        return false;
    if (ferror(out->file) || fflush(out->file))
        return failed(out, errno ? errno : EIO);
    out->whole = ftello(out->file);
    errno = 0; /* what stands there when a write has failed is its own */
    return true;
}
