/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done once, before anything runs: file systems, the kernel's settings, modules. */
#ifndef DOMAIN_LINUX_START_H
#define DOMAIN_LINUX_START_H

#include <stddef.h>

/* Mounts, and the directories in /run that programs write to. Ends the domain if it cannot. */
void start_mounts(void);

/* After this the files of the image cannot be changed. */
void start_root_seal(void);

/* A crash must reach Xen, and the log must not be thinned out. */
void start_settings(void);

/* Load what etc/ferry/modules names, in its order; says what cannot be. Returns how many could not be. */
unsigned int start_modules(void);

/* A small file, NUL-terminated, without its last newline. Returns its length or a negative errno. */
int start_read(const char *path, char *text, size_t size);

#endif
