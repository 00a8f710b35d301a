/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of `ferry`, and what they share. */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include <stdbool.h>

#include "check/check.h"
#include "config/dom0_vif.h"
#include "journal/journal.h"
#include "xen/host.h"

/* Exit codes; docs/man/ferry.8 has them too. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_REFUSED = 3, /* isolation is not given */
    EXIT_UNKNOWN_ROWS = 4, /* `check` only: nothing refused, but not everything could be seen */
    EXIT_NO_SUCH = 5, /* no driver domain of that name */
};

/* argv[0] is the command's name. */
int command_check(int argc, char **argv);
int command_start(int argc, char **argv);
int command_stop(int argc, char **argv);
int command_setup(int argc, char **argv);
int command_restart(int argc, char **argv);
int command_upgrade(int argc, char **argv);
int command_adopt(int argc, char **argv);
int command_policy(int argc, char **argv);
int command_status(int argc, char **argv);
int command_logs(int argc, char **argv);
int command_vifs(int argc, char **argv);
int command_stations(int argc, char **argv);
int command_top(int argc, char **argv);
int command_report(int argc, char **argv);
int command_capture(int argc, char **argv);
int command_image(int argc, char **argv);

/* The usage of the command that runs, and EXIT_USAGE. */
int command_usage(void);
/* -h was given. */
int command_help(void);

/*
 * The words of a command that takes between min and max of them, -h, and --FLAG where flag is not
 * NULL: then *flag_r becomes true where it is given. Returns -1 if the command is to run, its words
 * from argv[optind] on; else its exit code.
 */
int command_words(int argc, char **argv, int min, int max, const char *flag, bool *flag_r);

/*
 * Lock a name and load its journal; says what is wrong. Returns 0 with the lock to be closed, or an
 * exit code.
 */
int command_journal_take(const char *name, struct journal *journal_r, int *lock_r);

/* journal_save(), and says what is wrong, and what to do about it. */
int command_journal_save(const struct journal *journal);

/*
 * Whether a file is the one that a domain was started from whose devices left dom0 and are pciback's, as it runs, or shut itself
 * down: their interfaces, by which the file may name them, are not there, and journal_r is for config_load().
 */
bool command_nics_known(const char *path, struct journal *journal_r);

/* Start a domain from a file, once what a `ferry` left unfinished of it is finished; says what is wrong. Returns an exit code. */
int command_start_file(struct host *host, const char *path, bool insist);
/* The same for a caller that holds the name's guard, and has its own record where dom0's network moves (cli/dom0_record.h): what was begun
 * is not undone when it fails. */
int command_start_guarded(struct host *host, const char *path);
/* Start what the files in auto/ describe and does not run yet; one that fails keeps no other from being started. Returns
 * EXIT_OK if all run, EXIT_REFUSED if some were refused and nothing else was wrong, or EXIT_FAILED. */
int command_start_all(struct host *host, bool insist);

/*
 * End a domain and give its devices back to dom0; its journal says that it was stopped, and stays. The caller has the name's lock.
 *
 *   vif  dom0's on it, which is unplugged first; of its bridge "": there is none
 *
 * Returns 0, or a negative errno after saying what is wrong; -EROFS: that it is to stop cannot be noted, and nothing was done.
 */
int command_end_domain(struct host *host, struct journal *journal, const struct dom0_vif *vif);

/*
 * Say that a domain runs Linux, and so has not what only Ferry's kernel has.
 *
 *   what     is not there: "statistics"
 *   instead  what to do: "use ... in ..."
 *
 * Returns -ENOTSUP.
 */
int command_linux_refuses(const struct journal *journal, const char *what, const char *instead);

/*
 * Check the devices of a domain and say what is wrong. Returns 0 if all may be used, or -EACCES; with
 * insist a warning is all there is.
 */
int command_contained_wanted(struct host *host, const struct config *config, bool insist);

/* Tell ferryd that a journal changed. Returns whether it is there. */
bool command_tell_ferryd(void);

/* The same, and say what it means if ferryd is not there. */
void command_ferryd_wanted(const struct journal *journal);

/* Print a table of rows that are not ok, or all of them. */
void command_check_print(const struct check *check, bool all);

#endif
