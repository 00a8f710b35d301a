/* SPDX-License-Identifier: BSD-2-Clause */
/* Packing and unpacking, by libarchive. The same input gives the same bytes. */
#ifndef CONTROL_LINUX_PACK_H
#define CONTROL_LINUX_PACK_H

#include <stddef.h>

#include "linux/tree.h"

enum pack_how {
    PACK_PLAIN,
    PACK_ZSTD,
};

/*
 * A tree as Linux unpacks it (cpio, "newc"; Documentation/driver-api/early-userspace/buffer-format.rst): owner 0, time 0, inode
 * numbers counted.
 *
 *   data_r  to be freed
 *
 * Returns 0, -ENOMEM, or -EIO: libarchive does not want it; then *why_r says why.
 */
int pack_cpio(const struct tree *tree, enum pack_how how, char **data_r, size_t *len_r,
              const char **why_r);

/* Bytes as one zstd frame; otherwise the same. */
int pack_zstd(const void *data, size_t len, char **data_r, size_t *len_r, const char **why_r);

/*
 * Undo gzip, xz, lzma, bzip2, lz4, zstd; anything else is given back as it is.
 *
 *   max  more is refused with -EFBIG
 *
 * Otherwise as above; -EIO for damaged bytes.
 */
int pack_undo(const void *packed, size_t packed_len, size_t max, char **data_r, size_t *len_r,
              const char **why_r);

#endif
