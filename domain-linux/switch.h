/* SPDX-License-Identifier: BSD-2-Clause */
/* The bridges that the command line asks for, and the cards in them. */
#ifndef DOMAIN_LINUX_SWITCH_H
#define DOMAIN_LINUX_SWITCH_H

#include <stdbool.h>
#include <stddef.h>

#include "children.h"
#include "words.h"

#define SWITCH_CHILDREN 2 /* Open vSwitch's */

/* Make all bridges, still without cards. Ends the domain if one cannot be made. */
void switch_make(const struct words *words);

/* The programs that bridges of Open vSwitch need, which run by now. Returns how many. */
size_t switch_children(const struct words *words, struct child children_r[SWITCH_CHILDREN]);

/* Put cards that have appeared into their bridges. Says so. Returns whether every bridge has its card. */
bool switch_look(const struct words *words);

#endif
