/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/metrics_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal/journal.h"
#include "recover/stats.h"
#include "supervise/beats.h"
#include "supervise/exposition.h"
#include "supervise/metrics_more.h"
#include "supervise/recoveries.h"
#include "util/log.h"
#include "xen/domain.h"
#include "xen/guest.h"
#include "xen/statspages.h"

#define DOMAINS_MAX 32

struct domain {
    char name[FILES_NAME_MAX + 1];
    struct journal journal;
    struct recoveries recoveries;
    bool named, seen, runs, has_stats;
    bool counted; /* its recoveries have begun */
    bool unread; /* its journal could not be read since then: what it has is not new */
    int64_t beat_age_ms; /* -1: not known */
    struct ferry_stats stats;
    char guests[FERRY_STATS_PORTS][GUEST_NAME_SIZE];
};

static struct domain domains[DOMAINS_MAX];
static bool has_looked; /* at all that there were when the process began */

#define EACH(d)                                                                                    \
    for (struct domain *d = domains; d < domains + DOMAINS_MAX; d++)                               \
        if (d->seen)
#define EACH_PORT(d, p)                                                                            \
    EACH(d)                                                                                        \
    for (struct ferry_stats_port *p = d->stats.ports;                                              \
         d->has_stats && p < d->stats.ports + d->stats.nr_ports; p++)

static struct domain *place_of(const char *name)
{
    struct domain *place = NULL;

    for (struct domain *d = domains; d < domains + DOMAINS_MAX; d++) {
        if (strcmp(d->name, name) == 0)
            return d;
        if (!place && !d->name[0])
            place = d;
    }
    if (place)
        snprintf(place->name, sizeof(place->name), "%s", name);
    return place;
}

static void look(void *ctx, const char *name)
{
    struct host *host = ctx;
    struct domain *d = place_of(name);
    struct domain_seen seen;
    const char *why;

    if (!d)
        return;
    d->named = true;
    if (journal_load(name, &d->journal)) {
        d->unread = !d->counted;
        return;
    }
    d->seen = true;
    if (!d->counted && (d->unread || !has_looked))
        recoveries_begin(&d->recoveries, &d->journal);
    d->counted = true;
    recoveries_count(&d->recoveries, &d->journal);
    d->runs = !d->journal.recovering && domain_look(host, &d->journal, &seen) == 0 &&
              domain_state_of(&seen, &why) == DOMAIN_STATE_FINE;
    d->beat_age_ms = beats_age_ms(name, host_ticks_ms());
    d->has_stats = stats_read(host, &d->journal, &d->stats) == 0;
    for (unsigned int i = 0; d->has_stats && i < d->stats.nr_ports; i++) {
        d->guests[i][0] = '\0';
        if (d->stats.ports[i].kind == FERRY_PORT_VIF)
            guest_name(host, d->stats.ports[i].guest, d->guests[i]);
    }
}

static void domains_look(struct host *host)
{
    for (unsigned int i = 0; i < DOMAINS_MAX; i++)
        domains[i].named = domains[i].seen = false;
    if (journal_each(look, host))
        return; /* what was counted is kept for those that were not seen */
    for (unsigned int i = 0; i < DOMAINS_MAX; i++)
        if (!domains[i].named)
            memset(&domains[i], 0, sizeof(domains[i]));
    has_looked = true;
}

static void domains_put(struct exposition *e)
{
    exposition_family(e, "ferry_domain_up", EXPOSITION_GAUGE, "Whether the driver domain runs.");
    EACH(d)
    exposition_gauge(e, "ferry_domain_up", EXPOSITION_LABELS("domain", d->name), d->runs);
    exposition_family(e, "ferry_domain_wanted", EXPOSITION_GAUGE,
                      "Whether it is to run: 0 if it was stopped, or died too often.");
    EACH(d)
    exposition_gauge(e, "ferry_domain_wanted", EXPOSITION_LABELS("domain", d->name),
                     d->journal.wish == JOURNAL_RUN);
    exposition_family(
        e, "ferry_domain_isolated", EXPOSITION_GAUGE,
        "Whether the host isolates its devices: 0 if it was started with --allow-unisolated.");
    EACH(d)
    exposition_gauge(e, "ferry_domain_isolated", EXPOSITION_LABELS("domain", d->name),
                     !d->journal.unisolated);
    exposition_family(e, "ferry_domain_deaths", EXPOSITION_COUNTER,
                      "Deaths since it was first started, and planned restarts.");
    EACH(d)
    exposition_counter(e, "ferry_domain_deaths", EXPOSITION_LABELS("domain", d->name),
                       d->journal.nr_deaths_ever);
}

/* What the journal knows: it does not run as it should, or could not be brought back as it should. */
static void degraded_put(struct exposition *e)
{
    exposition_family(e, "ferry_domain_degraded", EXPOSITION_GAUGE,
                      "Whether it was given up, is being recovered, is so after recoveries that "
                      "failed, or can only be rebuilt for want of its image.");
    EACH(d)
    {
        const struct journal *journal = &d->journal;
        const struct {
            const char *word;
            bool holds;
        } reasons[] = { { "given-up", journal->wish == JOURNAL_GIVEN_UP },
                        { "recovering", journal->recovering },
                        { "recovery-failed", journal->recovering && journal->tries },
                        { "no-image", !journal->kernel[0] } };

        for (unsigned int i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
            exposition_gauge(e, "ferry_domain_degraded",
                             EXPOSITION_LABELS("domain", d->name, "reason", reasons[i].word),
                             reasons[i].holds);
    }
}

static void beats_put(struct exposition *e)
{
    exposition_family(
        e, "ferry_domain_heartbeat_age_seconds", EXPOSITION_GAUGE,
        "How long ago ferryd last saw its heartbeat go on; a domain that sleeps beats "
        "every two seconds.");
    EACH(d)
    if (d->beat_age_ms >= 0)
        exposition_gauge(e, "ferry_domain_heartbeat_age_seconds",
                         EXPOSITION_LABELS("domain", d->name), (double)d->beat_age_ms / 1000);
}

static void infos_put(struct exposition *e)
{
    exposition_family(
        e, "ferry_domain", EXPOSITION_INFO,
        "Version of ferryd, and the image that the domain runs; empty if it was adopted "
        "without one.");
    EACH(d)
    {
        char image[FILES_PATH_SIZE];

        snprintf(image, sizeof(image), "%s", d->journal.kernel);
        log_clean(image, strlen(image));
        exposition_info(
            e, "ferry_domain",
            EXPOSITION_LABELS("domain", d->name, "version", FERRY_VERSION, "image", image));
    }
}

static void recoveries_put(struct exposition *e)
{
    static const char *const depths[RECOVERIES_DEPTHS] = { "none", "1", "2", "3" };

    exposition_family(e, "ferry_recoveries", EXPOSITION_COUNTER,
                      "Deaths by cause, and by the depth at which the domain was brought back.");
    EACH(d)
    for (unsigned int depth = 0; depth < RECOVERIES_DEPTHS; depth++)
        for (unsigned int cause = 0; cause < RECOVERIES_CAUSES; cause++)
            exposition_counter(e, "ferry_recoveries",
                               EXPOSITION_LABELS("domain", d->name, "depth", depths[depth], "cause",
                                                 recoveries_cause_word(cause)),
                               d->recoveries.counts[depth][cause]);
    exposition_family(e, "ferry_recovery_seconds", EXPOSITION_HISTOGRAM,
                      "From when a death was noticed until guests were served again.");
    EACH(d)
    for (unsigned int depth = 1; depth < RECOVERIES_DEPTHS; depth++)
        exposition_histogram(e, "ferry_recovery_seconds",
                             EXPOSITION_LABELS("domain", d->name, "depth", depths[depth]),
                             recoveries_limits, d->recoveries.buckets[depth], RECOVERIES_LIMITS,
                             d->recoveries.sums[depth]);
}

static void port_put(struct exposition *e, const char *name, const struct domain *d,
                     const struct ferry_stats_port *port, const char *extra_name, const char *extra,
                     uint64_t value)
{
    exposition_counter(e, name,
                       EXPOSITION_LABELS("domain", d->name, "port", port->name, "guest",
                                         d->guests[port - d->stats.ports], "bridge", port->bridge,
                                         extra_name, extra),
                       value);
}

static void ports_put(struct exposition *e)
{
    exposition_family(e, "ferry_port_frames", EXPOSITION_COUNTER,
                      "Frames that went through a port; in is from the guest or the wire.");
    EACH_PORT(d, port)
    {
        port_put(e, "ferry_port_frames", d, port, "direction", "in", port->in_frames);
        port_put(e, "ferry_port_frames", d, port, "direction", "out", port->out_frames);
    }
    exposition_family(e, "ferry_port_bytes", EXPOSITION_COUNTER, "Bytes of these frames.");
    EACH_PORT(d, port)
    {
        port_put(e, "ferry_port_bytes", d, port, "direction", "in", port->in_bytes);
        port_put(e, "ferry_port_bytes", d, port, "direction", "out", port->out_bytes);
    }
    exposition_family(e, "ferry_port_drops", EXPOSITION_COUNTER,
                      "Frames that did not go on, by reason (ferry(8)).");
    EACH_PORT(d, port)
    for (unsigned int drop = 0; drop < FERRY_DROPS; drop++)
        port_put(e, "ferry_port_drops", d, port, "reason", statspages_drop_word(drop),
                 port->drops[drop]);
}

static void port_gauge_put(struct exposition *e, const char *name, const struct domain *d,
                           const struct ferry_stats_port *port, double value)
{
    exposition_gauge(e, name,
                     EXPOSITION_LABELS("domain", d->name, "port", port->name, "guest",
                                       d->guests[port - d->stats.ports], "bridge", port->bridge),
                     value);
}

static void port_states_put(struct exposition *e)
{
    exposition_family(e, "ferry_port_up", EXPOSITION_GAUGE,
                      "Link of a NIC, carrier of a guest's interface.");
    EACH_PORT(d, port)
    port_gauge_put(e, "ferry_port_up", d, port, port->flags & FERRY_PORT_UP);
    exposition_family(e, "ferry_port_waiting_frames", EXPOSITION_GAUGE,
                      "Frames that the guest, or the NIC, has no room for yet.");
    EACH_PORT(d, port)
    port_gauge_put(e, "ferry_port_waiting_frames", d, port, port->nr_waiting);
}

static void loop_counter_put(struct exposition *e, const char *name, const char *help,
                             size_t offset)
{
    exposition_family(e, name, EXPOSITION_COUNTER, help);
    EACH(d)
    if (d->has_stats)
        exposition_counter(e, name, EXPOSITION_LABELS("domain", d->name),
                           *(const uint64_t *)((const char *)&d->stats + offset));
}

static void stages_put(struct exposition *e)
{
    exposition_family(
        e, "ferry_loop_stage_seconds", EXPOSITION_HISTOGRAM,
        "How long a part of the loop's turn took, of one turn in 16 of those that found work.");
    EACH(d)
    for (unsigned int i = 0; d->has_stats && i < FERRY_STAGES; i++)
        metrics_times_put(e, "ferry_loop_stage_seconds",
                          EXPOSITION_LABELS("domain", d->name, "stage", statspages_stage_word(i)),
                          &d->stats.stages[i]);
}

static void loop_put(struct exposition *e)
{
    loop_counter_put(e, "ferry_loop_turns", "Turns of the domain's loop.",
                     offsetof(struct ferry_stats, nr_turns));
    loop_counter_put(e, "ferry_loop_sleeps", "How often the loop went to sleep.",
                     offsetof(struct ferry_stats, nr_sleeps));
    loop_counter_put(e, "ferry_grant_copies", "Copies from and to guests' pages.",
                     offsetof(struct ferry_stats, nr_copies));
    loop_counter_put(e, "ferry_grant_copy_hypercalls", "Hypercalls that did these copies.",
                     offsetof(struct ferry_stats, nr_copy_calls));
    loop_counter_put(e, "ferry_notifications", "Events sent to guests.",
                     offsetof(struct ferry_stats, nr_notifications));
    stages_put(e);
    exposition_family(e, "ferry_buffers", EXPOSITION_GAUGE, "Packet buffers of the domain.");
    EACH(d)
    if (d->has_stats)
        exposition_gauge(e, "ferry_buffers", EXPOSITION_LABELS("domain", d->name),
                         d->stats.nr_mbufs);
    exposition_family(e, "ferry_buffers_free", EXPOSITION_GAUGE, "Those of them that are free.");
    EACH(d)
    if (d->has_stats)
        exposition_gauge(e, "ferry_buffers_free", EXPOSITION_LABELS("domain", d->name),
                         d->stats.nr_mbufs_free);
    exposition_family(e, "ferry_stations", EXPOSITION_GAUGE,
                      "Addresses that the domain's bridges know.");
    EACH(d)
    if (d->has_stats)
        exposition_gauge(e, "ferry_stations", EXPOSITION_LABELS("domain", d->name),
                         d->stats.nr_stations_known);
}

/* What an older kernel does not show is left out. */
static void more_put(struct exposition *e)
{
    static struct metrics_more more[DOMAINS_MAX];
    unsigned int nr = 0;

    EACH(d)
    if (d->has_stats && statspages_has_more(&d->stats))
        more[nr++] = (struct metrics_more){ d->name, &d->stats, d->guests };
    metrics_more_put(e, more, nr);
}

void metrics_text_begin(struct host *host)
{
    memset(domains, 0, sizeof(domains));
    has_looked = false;
    domains_look(host);
}

char *metrics_text(struct host *host, bool openmetrics, size_t *len_r)
{
    char *text = NULL;
    struct exposition e = { .out = open_memstream(&text, len_r), .openmetrics = openmetrics };

    if (!e.out)
        return NULL;
    domains_look(host);
    infos_put(&e);
    domains_put(&e);
    degraded_put(&e);
    beats_put(&e);
    recoveries_put(&e);
    ports_put(&e);
    port_states_put(&e);
    loop_put(&e);
    more_put(&e);
    exposition_end(&e);
    if (fclose(e.out)) {
        free(text);
        return NULL;
    }
    return text;
}
