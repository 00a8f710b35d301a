/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things lie in dom0, and small files read and written whole. */
#ifndef CONTROL_FILES_H
#define CONTROL_FILES_H

#include <stdbool.h>
#include <stddef.h>

#define FILES_PATH_SIZE 512
#define FILES_NAME_MAX 63

/* The places of paths.h and /var/log/xen/console, or what the environment says instead:
 * FERRY_STATE_DIR, FERRY_RUN_DIR, FERRY_CONFIG_DIR, FERRY_DEBUG_DIR, FERRY_KERNEL_DIR, FERRY_CONSOLE_DIR. */
const char *files_state_dir(void);
const char *files_run_dir(void);
const char *files_config_dir(void);
const char *files_debug_dir(void);
const char *files_kernel_dir(void);
const char *files_console_dir(void);

/* A domain's name becomes a file's: letters, digits, '_', '-', '.', not first a '.'. */
bool files_name_ok(const char *name);

/* Make a directory for root only, unless it is there. Returns 0 or a negative errno. */
int files_dir_make(const char *path);

/*
 * A whole file, NUL-terminated behind its end.
 *
 *   max     longer ones are refused with -EFBIG
 *   data_r  to be freed
 *   len_r   may be NULL
 */
int files_read(const char *path, size_t max, char **data_r, size_t *len_r);

/* The last `max` bytes of a file, otherwise as above. */
int files_read_tail(const char *path, size_t max, char **data_r, size_t *len_r);

/* Replace a file: written aside, synced, renamed. Mode 0600. */
int files_write(const char *path, const void *data, size_t len);
/* The same without waiting for the disk. */
int files_write_quick(const char *path, const void *data, size_t len);
/* A new file, whole or not at all; -EEXIST if there is one of that name, which is left as it is. Mode 0600. */
int files_write_new(const char *path, const void *data, size_t len);
/* A copy of a file of at most `max` bytes, written like that. If it fails, culprit_r is the path of the two that is to blame. */
int files_copy(const char *from, const char *to, size_t max, const char **culprit_r);

/* What to do about a file that could not be written, to be said behind strerror(): "; make room ...", or "". */
const char *files_todo(int err);

/* The first line of a small file such as sysfs has; returns its length, or a negative errno. */
int files_read_line(const char *path, char *line, size_t size);

/* Take a name's lock: "NAME.lock" in the run directory. Returns a descriptor, or a negative errno;
 * -EAGAIN when somebody holds it and wait is false. Closing gives it back. */
int files_lock(const char *name, bool wait);

/* A program that is started with standard input, output or error closed must not have another file in their place: what it prints
 * would go there. To be called before anything is opened. A limit on the size of files (RLIMIT_FSIZE) becomes an error of write(), too, not the
 * end of the process. */
void files_standard_open(void);

#endif
