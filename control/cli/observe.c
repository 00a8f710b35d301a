/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/observe.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/journal_read.h"
#include "recover/stats.h"
#include "util/files.h"
#include "util/log.h"
#include "xen/domain.h"

const char *observe_state_word(struct host *host, const struct journal *journal)
{
    struct domain_seen seen;
    const char *why;

    if (domain_look(host, journal, &seen))
        return "unknown";
    if (journal->recovering)
        return "recovering";
    switch (domain_state_of(&seen, &why)) {
    case DOMAIN_STATE_FINE:
        return "running";
    case DOMAIN_STATE_WAIT:
        return "dying";
    default:
        return journal->wish == JOURNAL_RUN ? "dead" : journal_wish_word(journal->wish);
    }
}

void observe_mac(const uint8_t mac[6], char text[OBSERVE_MAC_SIZE])
{
    snprintf(text, OBSERVE_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
}

void observe_kernel_tell(const struct journal *journal, const char *lacks)
{
    log_line(
        "%s: its kernel %s: `ferry upgrade %s --kernel IMAGE`, with the image in %s that drives "
        "its card",
        journal->name, lacks, journal->name, files_kernel_dir());
}

static const char *why(int err)
{
    switch (err) {
    case -ESRCH:
        return "it does not run (`ferry status`)";
    case -EPROTONOSUPPORT:
        return "its kernel is newer than these tools and shows other statistics: install the tools "
               "that came with it";
    default:
        return "its statistics make no sense; is it hanging? (`ferry status`)";
    }
}

static void one(void *ctx, const char *name)
{
    static struct ferry_stats stats;
    struct observe *observe = ctx;
    struct journal journal;
    int err;

    if (observe->only && strcmp(observe->only, name) != 0)
        return;
    err = journal_load(name, &journal);
    if (err == -ENOENT) /* just now */
        return;
    observe->nr++;
    if (err) {
        journal_fault_tell(name, err);
        observe->failed = true;
        return;
    }
    if (journal.is_linux) {
        command_linux_refuses(&journal, "the statistics",
                              "`ip -s link` in its guests, or the switch, count frames");
        observe->failed = observe->failed || observe->only;
        return;
    }
    err = stats_read(&observe->host, &journal, &stats);
    if (err == 0) {
        observe->show(observe, &journal, &stats);
        return;
    }
    if (err == -ENOTSUP)
        observe_kernel_tell(&journal, "shows no statistics");
    else
        log_line("%s: %s", name, why(err));
    observe->failed = true;
}

static int show_all(struct observe *observe, bool as_json)
{
    struct json json;

    if (as_json) {
        observe->json = &json;
        json_begin(&json);
        json_array_open(&json, NULL);
    }
    if (journal_read_each(one, observe))
        observe->failed = true;
    if (as_json) {
        json_array_close(&json);
        json_print(&json);
    }
    if (observe->failed)
        return EXIT_FAILED;
    if (observe->only && !observe->nr) {
        log_line("there is no driver domain %.63s that ferry started; `ferry status` lists them",
                 observe->only);
        return EXIT_NO_SUCH;
    }
    if (!observe->nr && !as_json)
        printf("no driver domains; `ferry start CONFIG` makes one\n");
    return EXIT_OK;
}

int observe_all(const char *only, bool as_json,
                void (*show)(struct observe *observe, const struct journal *journal,
                             const struct ferry_stats *stats))
{
    struct observe observe = { .show = show, .only = only };
    int code;

    if (host_open(&observe.host))
        return EXIT_FAILED;
    code = show_all(&observe, as_json);
    host_close(&observe.host);
    return code;
}

int observe_run(int argc, char **argv,
                void (*show)(struct observe *observe, const struct journal *journal,
                             const struct ferry_stats *stats))
{
    bool as_json = false;
    int code = command_words(argc, argv, 0, 1, "json", &as_json);

    return code >= 0 ? code : observe_all(argv[optind], as_json, show);
}
