/* SPDX-License-Identifier: BSD-2-Clause */
/* ferry: starts, stops and shows driver domains. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/dom0_finish.h"
#include "cli/journal_read.h"
#include "journal/journal.h"
#include "journal/unfinished.h"
#include "util/files.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/socket.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage, *what;
} commands[] = {
    { "check", command_check, "check CONFIG|BDF|INTERFACE [--json]",
      "say whether a driver domain with this device would be contained" },
    { "setup", command_setup,
      "setup BDF|INTERFACE [--name NAME] [--dry-run] [--yes] [--no-start] [--kernel IMAGE] "
      "[--memory MB] [--bridge BRIDGE] [--timeout S] [--confirm S] [--dom0-vif]",
      "check, write a configuration, start it; without a link, or unconfirmed, dom0 gets the NIC "
      "back" },
    { "start", command_start, "start CONFIG|--all [--allow-unisolated]",
      "check, take the device from dom0, create the domain; or all of " PATHS_CONFIG "/auto" },
    { "stop", command_stop, "stop NAME [--unfinished]",
      "end the domain, give the device back to dom0; or only finish what a killed `ferry` left" },
    { "restart", command_restart, "restart NAME [CONFIG] [--rebuild]",
      "start it anew under its guests, perhaps from another configuration" },
    { "upgrade", command_upgrade, "upgrade NAME --kernel IMAGE [--ramdisk FILE]",
      "go on with another kernel, in place where that can be" },
    { "adopt", command_adopt, "adopt NAME|DOMID [--allow-unisolated]",
      "look after a domain that `xl create` made" },
    { "policy", command_policy, "policy NAME [--check [FILE]|--show [--json]|--file FILE]",
      "load what its vifs may do, or check the file, or show what it has" },
    { "status", command_status, "status [NAME] [--deaths|--json]",
      "show driver domains, the rates of their ports, and their last deaths, or all" },
    { "vifs", command_vifs, "vifs [NAME] [--queues|--bridges|--json]",
      "show each port, queue or bridge: what went through, what was dropped and why" },
    { "stations", command_stations, "stations [NAME] [--json]",
      "show which address is behind which port" },
    { "top", command_top,
      "top [NAME] [--batch] [--delay S] [--iterations N] [--sort in|out|drops|name]",
      "show rates of each port, again and again" },
    { "capture", command_capture,
      "capture NAME PORT|bridge:BRIDGE [-w FILE] [--snaplen N] [--count N] [FILTER]",
      "write frames as pcapng, for tcpdump and Wireshark" },
    { "report", command_report, "report NAME -o FILE.html",
      "write a page about it: deaths, rates, drops" },
    { "logs", command_logs, "logs NAME [--report]",
      "show the end of its console, or what it last said when it died" },
    { "image", command_image, "image linux (--nic BDF|--drivers NAME,...) ... [-o DIR]",
      "make the image of a Linux driver domain, for cards that Ferry's kernels do not drive" },
};

static const struct command *running;

static void usage_print(FILE *out)
{
    fprintf(out, "usage: ferry COMMAND ...\n\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        fprintf(out, "  ferry %-38s  %s\n", commands[i].usage, commands[i].what);
    fprintf(out, "\nexit codes: 0 done, 1 failed, 2 usage, 3 refused for want of isolation,\n"
                 "            4 check: not everything could be seen, 5 no such driver domain\n"
                 "`man ferry` says more.\n");
}

int command_usage(void)
{
    fprintf(stderr, "usage: ferry %s\n", running->usage);
    return EXIT_USAGE;
}

int command_help(void)
{
    printf("usage: ferry %s\n\n%s\n", running->usage, running->what);
    return EXIT_OK;
}

int command_words(int argc, char **argv, int min, int max, const char *flag, bool *flag_r)
{
    /* Without a flag the second one ends them. */
    const struct option options[] = { { "help", no_argument, NULL, 'h' },
                                      { flag, no_argument, NULL, 'f' },
                                      { 0 } };
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option != 'f')
            return command_usage();
        *flag_r = true;
    }
    if (argc - optind < min || argc - optind > max)
        return command_usage();
    return -1;
}

int command_journal_take(const char *name, struct journal *journal_r, int *lock_r)
{
    int err, code;

    if (geteuid() != 0) {
        log_line("only root can do this: run it with sudo");
        return EXIT_FAILED;
    }
    if (!files_name_ok(name)) {
        log_line("'%.63s' cannot be the name of a driver domain", name);
        return EXIT_NO_SUCH;
    }
    dom0_finish_abandoned(name);
    if (unfinished_is_abandoned(name)) {
        log_line("%s: what another `ferry` left half done could not be finished: see above, then "
                 "`ferry stop %s`",
                 name, name);
        return EXIT_FAILED;
    }
    err = files_lock(name, true);
    if (err < 0) {
        log_line("%s/%s.lock: %s%s", files_run_dir(), name, strerror(-err), files_todo(err));
        return EXIT_FAILED;
    }
    *lock_r = err;
    code = journal_read(name, journal_r);
    if (code)
        close(*lock_r);
    return code;
}

int command_journal_save(const struct journal *journal)
{
    int err = journal_save(journal);

    if (err)
        log_line("%s: the journal %s/%s.json cannot be written: %s%s", journal->name,
                 files_state_dir(), journal->name, strerror(-err), files_todo(err));
    return err;
}

int command_linux_refuses(const struct journal *journal, const char *what, const char *instead)
{
    log_line("%s runs Linux, which has not %s of Ferry's kernel: %s", journal->name, what, instead);
    return -ENOTSUP;
}

bool command_tell_ferryd(void)
{
    char *text;

    if (socket_ask("look", &text))
        return false;
    free(text);
    return true;
}

void command_ferryd_wanted(const struct journal *journal)
{
    if (!command_tell_ferryd())
        log_line("ferryd does not run: nobody brings %s back if it dies; `systemctl start ferryd`",
                 journal->name);
}

/* What was not shown whole must not look like all of it; what was done is done. */
static int shown(int code)
{
    static const char *const showing[] = { "check",  "status", "vifs", "stations",
                                           "policy", "top",    "logs", "report" };

    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    log_line("standard output: %s%s; not all of it was written", errno ? strerror(errno) : "failed",
             files_todo(-errno));
    for (size_t i = 0; code == EXIT_OK && i < sizeof(showing) / sizeof(showing[0]); i++)
        if (strcmp(running->name, showing[i]) == 0)
            code = EXIT_FAILED;
    return code;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    files_standard_open();
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage_print(stdout);
        return EXIT_OK;
    }
    if (strcmp(name, "--version") == 0) {
        printf("ferry %s\n", FERRY_VERSION);
        return EXIT_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, name) != 0)
            continue;
        running = &commands[i];
        return shown(commands[i].run(argc - 1, argv + 1));
    }
    if (*name)
        log_line("there is no command '%.40s'", name);
    usage_print(stderr);
    return EXIT_USAGE;
}
