/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/faults.h"

#include <string.h>

#include "supervise/supervisor.h"
#include "util/log.h"
#include "xen/domain.h"
#include "xen/domain_state.h"
#include "xen/pci.h"

#define PIECE_SIZE 16384
#define PIECES_MAX 8 /* at a time; Xen's ring holds less, unless it was made larger */
#define NOTICE_SIZE 512

static struct supervised *owner_of(struct supervisor *supervisor, const struct bdf *bdf)
{
    for (unsigned int i = 0; i < supervisor->nr; i++) {
        const struct journal *journal = &supervisor->domains[i]->journal;

        for (unsigned int n = 0; n < journal->nr_nics && journal->wish == JOURNAL_RUN; n++)
            if (bdf_is_same(&journal->nics[n].bdf, bdf))
                return supervisor->domains[i];
    }
    return NULL;
}

static void fault_count(void *ctx, const struct xenlog_fault *fault)
{
    struct supervised *supervised = owner_of(ctx, &fault->bdf);

    if (!supervised)
        return;
    supervised->faults.nr++;
    supervised->faults.last = *fault;
}

static void fault_drop(void *ctx, const struct xenlog_fault *fault)
{
    (void)ctx;
    (void)fault;
}

/* Returns how many bytes were read: of PIECE_SIZE there may be more. Or a negative errno. */
static int piece_take(struct faults *faults, struct supervisor *supervisor)
{
    static char text[sizeof(faults->held) + PIECE_SIZE];
    size_t len = faults->nr_held, taken;
    int nr;

    memcpy(text, faults->held, len);
    nr = conring_read(supervisor->common.host, &faults->ring, text + len, PIECE_SIZE);
    if (nr <= 0)
        return nr;
    len += (size_t)nr;
    taken = xenlog_faults(text, len, faults->began ? fault_count : fault_drop, supervisor);
    faults->nr_held = len - taken;
    if (faults->nr_held > sizeof(faults->held)) /* no line of Xen's own is that long */
        faults->nr_held = 0;
    memcpy(faults->held, text + taken, faults->nr_held);
    return nr;
}

/*
 * Whether the domain has its device to itself. Around a death ferryd takes bus mastering away, too, and the bit does not say whose
 * doing it was.
 */
static bool is_at_work(const struct supervised *supervised)
{
    const struct journal *journal = &supervised->journal;
    struct domain_seen seen;
    const char *why;

    return journal->wish == JOURNAL_RUN && !journal->recovering && !supervised->noticed_us &&
           !supervised_is_busy(supervised) &&
           domain_look(supervised->common->host, journal, &seen) == 0 &&
           domain_state_of(&seen, &why) == DOMAIN_STATE_FINE;
}

static void tell(struct supervised *supervised)
{
    struct fault_count *count = &supervised->faults;
    char text[NOTICE_SIZE];

    if (count->nr == count->nr_told)
        return;
    if (pci_master_is_off(&count->last.bdf) && is_at_work(supervised))
        count->cut_off = true;
    if (faults_notice(count, supervised->journal.name, host_ticks_ms(), text, sizeof(text)))
        log_line("%s: %s", supervised->journal.name, text);
}

void faults_look(struct faults *faults, struct supervisor *supervisor)
{
    unsigned int pieces = 0;
    int nr;

    do
        nr = piece_take(faults, supervisor);
    while (nr == PIECE_SIZE && ++pieces < PIECES_MAX);
    if (nr >= 0 && nr < PIECE_SIZE) /* else some of what was there before is still to come */
        faults->began = true;
    for (unsigned int i = 0; i < supervisor->nr; i++)
        tell(supervisor->domains[i]);
}
