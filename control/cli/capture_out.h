/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a capture goes to: a file that ends with a whole block whatever becomes of the disk, a pipe, standard output. */
#ifndef CONTROL_CAPTURE_OUT_H
#define CONTROL_CAPTURE_OUT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct capture_out {
    const char *path; /* "-": standard output */
    FILE *file;
    bool has_failed; /* nothing is to be written any more */
    bool is_new; /* the file was not there before */
    off_t whole; /* of what is in the file, up to the end of a block; negative in a pipe */
};

/* Open it; what is in the file stays there. Returns 0, or -EIO after saying what is wrong. */
int capture_out_open(struct capture_out *out);
/* There will be no capture: a file that was made for it is taken away. */
void capture_out_drop(struct capture_out *out);
/* There will be: what was in the file is no more. */
void capture_out_begin(struct capture_out *out);

/* After each block. Returns whether it could be written, as far as that is known; says what is wrong, once. */
bool capture_out_block_end(struct capture_out *out);
/* The same of all blocks until now. */
bool capture_out_flush(struct capture_out *out);

#endif
