/* SPDX-License-Identifier: BSD-2-Clause */
/* setup: from a NIC to a driver domain that runs, or back to where it began. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/dom0_finish.h"
#include "cli/dom0_move.h"
#include "cli/setup_checks.h"
#include "cli/setup_confirm.h"
#include "config/config.h"
#include "journal/journal.h"
#include "journal/unfinished.h"
#include "recover/stats.h"
#include "util/faultpoint.h"
#include "util/files.h"
#include "util/log.h"
#include "util/option.h"
#include "util/paths.h"

#define TIMEOUT_S 30
#define TIMEOUT_MAX_S 3600
#define CONFIRM_S 120
#define POLL_MS 250
#define ANSWER_SIZE 16
#define QUESTION_SIZE 128

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static void use_print(void *ctx, const char *text)
{
    (void)ctx;
    printf("  %s\n", text);
}

static void uses_print(const struct setup *setup)
{
    const struct dom0_net *net = &setup->keep.net;

    if (!setup->nr_uses)
        return;
    printf("dom0 itself uses the network of %s:\n", net->nic.name);
    dom0_net_uses(net, use_print, NULL);
    if (setup->dom0_vif)
        printf(
            "All that moves to an interface of the same name behind %s; it stands still for some "
            "seconds.\n",
            setup->name);
    else
        printf("It loses that when the NIC is taken; who is logged in over it is cut off. "
               "--dom0-vif moves it to an interface behind %s.\n",
               setup->name);
}

/* Nobody is asked who cannot answer. */
static int consent_wanted(const struct setup *setup)
{
    char answer[ANSWER_SIZE] = "";

    if (!setup->nr_uses || setup->yes)
        return 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        log_line("not taken, as dom0 uses it; --yes takes it all the same");
        return -EPERM;
    }
    printf("Take it all the same? [y/N] ");
    fflush(stdout);
    if (fgets(answer, sizeof(answer), stdin) &&
        (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
        return 0;
    log_line("not taken; nothing was changed");
    return -EPERM;
}

/* What was written must be what `ferry start` takes. */
static int config_check(const struct setup *setup)
{
    struct config config;
    int err = config_load(setup->path, NULL, &config);

    if (err)
        return err;
    if (strcmp(config.xl.c_info.name, setup->name) != 0 || config.nr_nics != 1 ||
        !bdf_is_same(&config.nics[0], &setup->bdf) ||
        strcmp(config.xl.b_info.kernel, setup->kernel) != 0 ||
        config.xl.b_info.target_memkb != (uint64_t)setup->memory * 1024)
        err = -EINVAL;
    config_dispose(&config);
    return err;
}

static int config_put(struct setup *setup)
{
    int err = files_dir_make(files_config_dir());

    if (!err)
        err = files_write_new(setup->path, setup->text, strlen(setup->text));
    if (err == -EEXIST)
        log_line("%s is there already and is not overwritten", setup->path);
    else if (err)
        log_line("%s: %s%s; nothing was changed", setup->path, strerror(-err), files_todo(err));
    if (err)
        return err;
    err = config_check(setup);
    if (err) {
        log_line("%s does not say what it was to say, and is taken away again", setup->path);
        unlink(setup->path);
        return err;
    }
    printf("%s is written\n", setup->path);
    faultpoint("configuration written");
    return 0;
}

/* why_r is set if not. */
static bool has_link(struct setup *setup, const char **why_r)
{
    static struct ferry_stats stats;
    struct journal journal;
    int unread = journal_load(setup->name, &journal);
    int err = unread ? unread : stats_read(&setup->host, &journal, &stats);

    *why_r = unread            ? "its journal is gone, or damaged: `ferry status` says more"
             : err == -ENOTSUP ? "its kernel shows no statistics, so no link can be seen"
             : err == -ESRCH   ? "the domain does not run"
             : err == -EPROTONOSUPPORT
                 ? "its kernel is newer than these tools and shows other statistics"
             : err ? "its statistics make no sense"
                   : "its kernel has not started the card";
    for (unsigned int i = 0; !err && i < stats.nr_ports; i++) {
        if (stats.ports[i].kind != FERRY_PORT_NIC)
            continue;
        *why_r = "there is no link: is the cable in?";
        if (stats.ports[i].flags & FERRY_PORT_UP)
            return true;
    }
    return false;
}

/* Only while nothing is being done: the programs that are run meanwhile would be killed by them. */
static void signals_heed(const struct setup *setup)
{
    const struct sigaction by = { .sa_handler = interrupt };

    sigaction(SIGINT, &by, NULL);
    sigaction(SIGTERM, &by, NULL);
    if (setup->confirm_s)
        sigaction(SIGHUP, &by, NULL);
}

/* Whoever interrupts it here wants it undone. Returns NULL, or why there is no link. */
static const char *link_wait(struct setup *setup)
{
    const char *why;
    bool is_up;
    int64_t end = host_ticks_ms() + setup->timeout_s * 1000ll;

    printf("waiting up to %u s for its link\n", setup->timeout_s);
    faultpoint("waiting");
    signals_heed(setup);
    while (!(is_up = has_link(setup, &why)) && !interrupted && host_ticks_ms() < end)
        host_sleep_ms(POLL_MS);
    dom0_signals_ignore();
    return is_up ? NULL : interrupted ? "it was interrupted" : why;
}

/* Returns NULL, or why it is not to stay. */
static const char *confirm_wait(struct setup *setup)
{
    char question[QUESTION_SIZE];
    const char *why;

    printf("%s has %s, with a link\n", setup->name, setup->address);
    if (!setup->confirm_s)
        return NULL;
    snprintf(question, sizeof(question),
             "Press Enter within %u s to keep it so, or all of it is undone", setup->confirm_s);
    faultpoint("asking");
    signals_heed(setup);
    why = setup_confirm_wait(STDIN_FILENO, setup->confirm_s, question, &interrupted);
    dom0_signals_ignore();
    if (why)
        printf("\n");
    return why;
}

static void roll_back(struct setup *setup, const struct dom0_record *record, const char *why)
{
    log_line("%s: %s; all of it is undone", setup->name, why);
    faultpoint("undoing");
    dom0_finish(&setup->host, setup->name, record);
    command_tell_ferryd();
}

static void next_print(const struct setup *setup)
{
    printf("\nNext:\n"
           "  guests:     vif = [ \"bridge=%s,backend=%s\" ]\n"
           "  to see it:  ferry status %s\n"
           "  at boot:    ln -s ../%s.cfg %s/auto/\n",
           setup->bridge, setup->name, setup->name, setup->name, files_config_dir());
    if (setup->nr_uses && !setup->dom0_vif)
        printf("  dom0:       modprobe xen-netfront; xl network-attach 0 bridge=%s backend=%s\n"
               "              then addresses and routes on its new interface (" PATHS_DOCS
               "/install.md)\n",
               setup->bridge, setup->name);
}

/* The vif that the configuration asks for. */
static int dom0_vif_wanted(const struct setup *setup, struct dom0_vif *vif_r)
{
    char text[64];
    const char *why;

    snprintf(text, sizeof(text), "mac=%s,bridge=%s", setup->keep.mac, setup->bridge);
    why = dom0_vif_parse(text, vif_r);
    if (why)
        log_line("--dom0-vif: dom0_vif= \"%s\" %s", text, why);
    return why ? -EINVAL : 0;
}

/* It stands in the run directory what dom0 has, and what is done here, until that is to stay: whoever finds it there with this process
 * gone undoes it. Returns an exit code. */
static int start(struct setup *setup)
{
    struct dom0_record record = {
        .what = DOM0_SETUP, .bdf = setup->bdf, .keep = setup->keep, .config = setup->text
    };
    const char *why = "it could not be started";

    if (setup->dom0_vif && dom0_vif_wanted(setup, &record.vif))
        return EXIT_FAILED;
    if (dom0_record_save(setup->name, &record))
        return EXIT_FAILED;
    faultpoint("setup noted");
    if (config_put(setup)) {
        dom0_record_remove(setup->name);
        return EXIT_FAILED;
    }
    if (command_start_guarded(&setup->host, setup->path) == EXIT_OK)
        why = link_wait(setup);
    if (!why)
        why = confirm_wait(setup);
    if (why) {
        roll_back(setup, &record, why);
        return EXIT_FAILED;
    }
    dom0_record_remove(setup->name);
    faultpoint("confirmed");
    next_print(setup);
    return EXIT_OK;
}

/* From here on things are changed. */
static int act(struct setup *setup)
{
    dom0_signals_ignore();
    if (!setup->no_start)
        return start(setup);
    if (config_put(setup))
        return EXIT_FAILED;
    printf("\nNext:\n  ferry start %s\n", setup->path);
    return EXIT_OK;
}

static void dry_print(const struct setup *setup)
{
    printf("%s\nThat would be written to %s.\n", setup->text, setup->path);
    if (setup->no_start)
        return;
    if (setup->nr_uses && !setup->yes)
        printf("As dom0 uses the NIC, --yes would be wanted, or an answer at the terminal.\n");
    printf("%s would be taken from %s, and %s started. Without a link within %u s all of that\n"
           "would be undone%s%s%s.\n",
           setup->address, *setup->keep.driver ? setup->keep.driver : "no driver", setup->name,
           setup->timeout_s, *setup->keep.net.nic.name ? ", and " : "", setup->keep.net.nic.name,
           *setup->keep.net.nic.name ? " brought back as it is now" : "");
    if (setup->dom0_vif)
        printf(
            "dom0 would then go on over an interface on bridge %s of it, named %s, with the same "
            "MAC address, addresses and routes.\n",
            setup->bridge, setup->keep.net.nic.name);
    if (setup->confirm_s)
        printf("It would also be undone unless somebody confirms it within %u s after that.\n",
               setup->confirm_s);
}

static int setup_checked(struct setup *setup)
{
    int code = EXIT_OK;

    uses_print(setup);
    if (!setup->confirm_given)
        setup->confirm_s = setup->nr_uses && isatty(STDIN_FILENO) ? CONFIRM_S : 0;
    if (setup->dry_run)
        dry_print(setup);
    else if (consent_wanted(setup))
        code = EXIT_FAILED;
    else
        code = act(setup);
    dom0_keep_dispose(&setup->keep);
    return code;
}

/* What one before it left must be finished first, which --dry-run does not do. */
static int setup_all(struct setup *setup)
{
    int guard = -1, code;

    if (setup->dry_run && unfinished_is_there(setup->name)) {
        log_line("%s: another `ferry` has not come to its end (`ferry status %s`): what would be "
                 "done cannot be said before that",
                 setup->name, setup->name);
        return EXIT_FAILED;
    }
    code = setup->dry_run ? EXIT_OK : dom0_finish_take(&setup->host, setup->name, &guard);
    if (!code)
        code = setup_checks(setup);
    if (!code)
        code = setup_checked(setup);
    if (guard >= 0)
        close(guard);
    return code;
}

/* Returns -1 to go on, or an exit code. */
static int option_take(struct setup *setup, int option)
{
    switch (option) {
    case 'h':
        return command_help();
    case 'n':
        setup->name = optarg;
        if (files_name_ok(optarg) && strlen(optarg) + sizeof(".cfg.failed") < FILES_NAME_MAX)
            break;
        log_line(
            "--name '%.63s': a name is of up to 50 letters, digits, '_', '-' and '.', and does "
            "not begin with '.'",
            optarg);
        return EXIT_USAGE;
    case 'k':
        setup->kernel_asked = optarg;
        break;
    case 'b':
        setup->bridge = optarg;
        if (setup_bridge_ok(optarg))
            break;
        log_line("--bridge '%.63s': a bridge's name is of up to 15 letters, digits, '_', '-' and "
                 "'.'",
                 optarg);
        return EXIT_USAGE;
    case 'm':
        return option_number("memory", optarg, SETUP_MEMORY_MIN, SETUP_MEMORY_MAX, &setup->memory)
                   ? EXIT_USAGE
                   : -1;
    case 't':
        return option_number("timeout", optarg, 1, TIMEOUT_MAX_S, &setup->timeout_s) ? EXIT_USAGE
                                                                                     : -1;
    case 'c':
        setup->confirm_given = true;
        return option_number("confirm", optarg, 0, TIMEOUT_MAX_S, &setup->confirm_s) ? EXIT_USAGE
                                                                                     : -1;
    case '0':
        setup->dom0_vif = true;
        break;
    case 'd':
        setup->dry_run = true;
        break;
    case 'y':
        setup->yes = true;
        break;
    case 's':
        setup->no_start = true;
        break;
    default:
        return command_usage();
    }
    return -1;
}

static int words_read(struct setup *setup, int argc, char **argv)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },          { "name", required_argument, NULL, 'n' },
        { "kernel", required_argument, NULL, 'k' },  { "bridge", required_argument, NULL, 'b' },
        { "memory", required_argument, NULL, 'm' },  { "timeout", required_argument, NULL, 't' },
        { "confirm", required_argument, NULL, 'c' }, { "dom0-vif", no_argument, NULL, '0' },
        { "dry-run", no_argument, NULL, 'd' },       { "yes", no_argument, NULL, 'y' },
        { "no-start", no_argument, NULL, 's' },      { 0 }
    };
    int option, code = -1;

    while (code < 0 && (option = getopt_long(argc, argv, "h", options, NULL)) >= 0)
        code = option_take(setup, option);
    if (code >= 0)
        return code;
    if (argc - optind != 1)
        return command_usage();
    setup->nic = argv[optind];
    return -1;
}

int command_setup(int argc, char **argv)
{
    struct setup setup = {
        .name = "domnet", .bridge = "xenbr0", .memory = 32, .timeout_s = TIMEOUT_S
    };
    int code = words_read(&setup, argc, argv);

    if (code >= 0)
        return code;
    if (geteuid() != 0) {
        log_line("only root can do this: run it with sudo");
        return EXIT_FAILED;
    }
    if (host_open(&setup.host))
        return EXIT_FAILED;
    code = setup_all(&setup);
    host_close(&setup.host);
    return code;
}
