/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the evil driver domain does on request. Each is called with its words and returns NULL, or why it could
 * not do it; what it has to tell goes into note(). Whether it harmed anybody is for dom0's side to say.
 */
#ifndef EVIL_COMMAND_H
#define EVIL_COMMAND_H

#include <stdint.h>

#define COMMAND_WORDS 8

struct command {
    const char *name; /* NULL ends a table */
    unsigned int nr; /* words behind it, all of them needed */
    const char *(*run)(char *const *words);
};

extern const struct command commands_dma[], commands_memory[], commands_config[], commands_guest[],
    commands_dom0[];

/* A word that is a number, decimal or 0x...; ends the domain with a verdict if it is none. */
uint64_t number(const char *word);

#endif
