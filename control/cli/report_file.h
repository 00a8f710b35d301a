/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that somebody asked for by its path. */
#ifndef CONTROL_REPORT_FILE_H
#define CONTROL_REPORT_FILE_H

#include <stddef.h>

/*
 * Into a file beside it first, PATH.new: what was there stays if this fails. Its mode is as umask(2) has it.
 *
 *   path  "-": standard output
 *
 * Returns 0, or a negative errno, -EEXIST if PATH.new is there.
 */
int report_file_write(const char *text, size_t len, const char *path);

#endif
