/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/files.h"

static int text_write(const char *text, size_t len, FILE *out)
{
    if (fwrite(text, 1, len, out) != len || fflush(out))
        return errno ? -errno : -EIO;
    return fsync(fileno(out)) && errno != EINVAL && errno != EROFS ? -errno : 0;
}

int report_file_write(const char *text, size_t len, const char *path)
{
    char other[FILES_PATH_SIZE];
    FILE *out;
    int err;

    if (strcmp(path, "-") == 0)
        return text_write(text, len, stdout);
    if (snprintf(other, sizeof(other), "%s.new", path) >= (int)sizeof(other))
        return -ENAMETOOLONG;
    out = fopen(other, "wx");
    if (!out)
        return -errno;
    err = text_write(text, len, out);
    if (fclose(out) && !err)
        err = -errno;
    if (!err && rename(other, path))
        err = -errno;
    if (err)
        unlink(other);
    return err;
}
