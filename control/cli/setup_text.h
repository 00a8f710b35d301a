/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration that `ferry setup` writes, and which image it takes. Pure. */
#ifndef CONTROL_SETUP_TEXT_H
#define CONTROL_SETUP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define SETUP_TEXT_SIZE 4096
#define SETUP_MEMORY_MIN 8
#define SETUP_MEMORY_MAX 1048576

struct setup_words {
    const char *name; /* of the domain, as files_name_ok() wants it */
    const char *address; /* of the card */
    const char *interface; /* of dom0 on it; "": there is none */
    const char *driver; /* of the image; "": not known */
    const char *kernel, *bridge;
    const char *dom0_mac; /* of dom0's own vif; "": it gets none */
    unsigned int memory; /* MB */
};

/*
 * The text, each line with a comment. Names of interfaces are anybody's: what is not printable becomes '?'.
 *
 * Returns its length; -EINVAL if a word cannot stand in it (setup_bridge_ok(), setup_kernel_ok()), -E2BIG if it is
 * too long.
 */
int setup_text(const struct setup_words *words, char text[SETUP_TEXT_SIZE]);

/* 1 to 15 letters, digits, '_', '-' and '.', as the domain takes it. */
bool setup_bridge_ok(const char *name);
/* A path from the root on that can stand in quotes. */
bool setup_kernel_ok(const char *path);

/* Whether a file of the images' directory is one, by its name. */
bool setup_image_counts(const char *name);
/* In which order they are tried: the image that has been tested, those with one driver by their names, the one with
 * all. As strcmp(). */
int setup_image_order(const char *a, const char *b);

#endif
