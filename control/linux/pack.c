/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CHUNK 65536
/* The last level whose window has 2 MB: the domain unpacks its ramdisk itself, and has no memory for 8. */
#define RAMDISK_LEVEL "8"
#define KERNEL_LEVEL "19" /* dom0 unpacks it */

static char why[160];

struct buffer {
    char *data;
    size_t len, room;
};

static int failed(struct archive *archive, const char **why_r)
{
    const char *text = archive_error_string(archive);

    snprintf(why, sizeof(why), "%s", text ? text : "libarchive failed");
    *why_r = why;
    return archive_errno(archive) == ENOMEM ? -ENOMEM : -EIO;
}

static bool buffer_room(struct buffer *buffer, size_t more)
{
    size_t room = buffer->room ? buffer->room : CHUNK;
    char *data;

    while (room - buffer->len < more + 1)
        room *= 2;
    if (room == buffer->room)
        return true;
    data = realloc(buffer->data, room);
    if (!data)
        return false;
    buffer->data = data;
    buffer->room = room;
    return true;
}

static la_ssize_t buffer_write(struct archive *archive, void *ctx, const void *data, size_t len)
{
    struct buffer *buffer = ctx;

    if (!buffer_room(buffer, len)) {
        archive_set_error(archive, ENOMEM, "no memory");
        return -1;
    }
    memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
    return (la_ssize_t)len;
}

static int entry_write(struct archive *archive, const struct tree_node *node)
{
    struct archive_entry *entry = archive_entry_new();
    int err;

    if (!entry)
        return ARCHIVE_FATAL;
    archive_entry_set_pathname(entry, node->path);
    archive_entry_set_mode(entry, node->mode);
    archive_entry_set_nlink(entry, 1);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_size(entry, S_ISREG(node->mode) ? (la_int64_t)node->len : 0);
    if (S_ISLNK(node->mode))
        archive_entry_set_symlink(entry, node->data);
    if (S_ISCHR(node->mode)) {
        archive_entry_set_rdevmajor(entry, node->major);
        archive_entry_set_rdevminor(entry, node->minor);
    }
    err = archive_write_header(archive, entry);
    if (err == ARCHIVE_OK && S_ISREG(node->mode) && node->len &&
        archive_write_data(archive, node->data, node->len) != (la_ssize_t)node->len)
        err = ARCHIVE_FATAL;
    archive_entry_free(entry);
    return err;
}

static int zstd_wanted(struct archive *archive, const char *level)
{
    int err = archive_write_add_filter_zstd(archive);

    return err ? err : archive_write_set_filter_option(archive, "zstd", "compression-level", level);
}

static int write_end(struct archive *archive, int err, struct buffer *buffer, char **data_r,
                     size_t *len_r, const char **why_r)
{
    if (err == ARCHIVE_OK)
        err = archive_write_close(archive);
    if (err != ARCHIVE_OK) {
        err = failed(archive, why_r);
        free(buffer->data);
    } else {
        *data_r = buffer->data;
        *len_r = buffer->len;
    }
    archive_write_free(archive);
    return err;
}

int pack_cpio(const struct tree *tree, enum pack_how how, char **data_r, size_t *len_r,
              const char **why_r)
{
    struct archive *archive = archive_write_new();
    struct buffer buffer = { 0 };
    int err;

    if (!archive)
        return -ENOMEM;
    err = archive_write_set_format_cpio_newc(archive);
    if (!err && how == PACK_ZSTD)
        err = zstd_wanted(archive, RAMDISK_LEVEL);
    if (!err)
        err = archive_write_set_bytes_in_last_block(archive, 1);
    if (!err)
        err = archive_write_open(archive, &buffer, NULL, buffer_write, NULL);
    for (size_t i = 0; !err && i < tree->nr; i++)
        err = entry_write(archive, &tree->nodes[i]);
    return write_end(archive, err, &buffer, data_r, len_r, why_r);
}

int pack_zstd(const void *data, size_t len, char **data_r, size_t *len_r, const char **why_r)
{
    struct tree_node node = { .path = (char *)"data", .mode = S_IFREG | 0644, .len = len };
    struct archive *archive = archive_write_new();
    struct buffer buffer = { 0 };
    int err;

    if (!archive)
        return -ENOMEM;
    node.data = (char *)data;
    err = archive_write_set_format_raw(archive);
    if (!err)
        err = zstd_wanted(archive, KERNEL_LEVEL);
    if (!err)
        err = archive_write_set_bytes_in_last_block(archive, 1);
    if (!err)
        err = archive_write_open(archive, &buffer, NULL, buffer_write, NULL);
    if (!err)
        err = entry_write(archive, &node);
    return write_end(archive, err, &buffer, data_r, len_r, why_r);
}

int pack_undo(const void *packed, size_t packed_len, size_t max, char **data_r, size_t *len_r,
              const char **why_r)
{
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    struct buffer buffer = { 0 };
    la_ssize_t got = 1;
    int err;

    if (!archive)
        return -ENOMEM;
    err = archive_read_support_format_raw(archive);
    if (!err)
        err = archive_read_support_filter_all(archive);
    if (!err || err == ARCHIVE_WARN)
        err = archive_read_open_memory(archive, packed, packed_len);
    if (!err)
        err = archive_read_next_header(archive, &entry);
    if (err)
        err = failed(archive, why_r);
    while (!err && got > 0) {
        if (!buffer_room(&buffer, CHUNK)) {
            err = -ENOMEM;
            break;
        }
        got = archive_read_data(archive, buffer.data + buffer.len, CHUNK);
        if (got < 0)
            err = failed(archive, why_r);
        else
            buffer.len += (size_t)got;
        if (buffer.len > max)
            err = -EFBIG;
    }
    archive_read_free(archive);
    if (err) {
        free(buffer.data);
        return err;
    }
    buffer.data[buffer.len] = '\0';
    *data_r = buffer.data;
    *len_r = buffer.len;
    return 0;
}
