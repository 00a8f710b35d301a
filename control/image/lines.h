/* SPDX-License-Identifier: BSD-2-Clause */
/* Source lines for the addresses in a crash report, from a kernel with symbols beside the stripped one. */
#ifndef CONTROL_LINES_H
#define CONTROL_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "util/files.h"

#define LINES_SYMBOL_SIZE 128
#define LINES_MAX 64 /* addresses of one report */

/* A line of a report such as "  rip 0000000000101df0 fault_null+0x12". */
struct lines_place {
    uint64_t address;
    bool is_caller; /* of the stack: where a call returns to, the call being before it */
    char symbol[LINES_SYMBOL_SIZE]; /* without the offset */
};

/*
 * Read a line of a report; whatever is in it, which is the domain's to say. Returns whether it names a function and an
 * address in it.
 */
bool lines_place_read(const char *line, struct lines_place *place_r);

/* The line after this one; NULL: there is none. */
const char *lines_next(const char *line);

/*
 * Find the kernel with symbols: the *.debug in files_debug_dir() whose code is that of the image, byte for byte.
 * Returns 0, or -ENOENT.
 */
int lines_find(const char *image, char path_r[FILES_PATH_SIZE]);

/*
 * Print a text, and behind each line that names a function where that is in the sources, as binutils' addr2line
 * finds it in the file. Where the file has another function at an address, as when the report is of an older kernel than
 * the file, nothing is added.
 *
 *   text   a report, changed
 *   debug  a kernel with symbols
 *
 * Returns 0; -ENOENT without addr2line, and -EIO if it failed: then the text was printed as it is.
 */
int lines_print(char *text, const char *debug);

#endif
