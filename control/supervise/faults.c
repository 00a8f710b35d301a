/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/faults.h"

#include <string.h>

#include "supervise/supervisor.h"
#include "util/log.h"
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

/* Returns whether there may be more. */
static bool piece_take(struct faults *faults, struct supervisor *supervisor)
{
    static char text[sizeof(faults->held) + PIECE_SIZE];
    size_t len = faults->nr_held, taken;
    int nr;

    memcpy(text, faults->held, len);
    nr = conring_read(supervisor->common.host, &faults->ring, text + len, PIECE_SIZE);
    if (nr <= 0)
        return false;
    len += (size_t)nr;
    taken = xenlog_faults(text, len, faults->began ? fault_count : fault_drop, supervisor);
    faults->nr_held = len - taken;
    if (faults->nr_held > sizeof(faults->held)) /* no line of Xen's own is that long */
        faults->nr_held = 0;
    memcpy(faults->held, text + taken, faults->nr_held);
    return nr == PIECE_SIZE;
}

static void tell(struct supervised *supervised)
{
    struct fault_count *count = &supervised->faults;
    char text[NOTICE_SIZE];

    if (count->nr == count->nr_told)
        return;
    if (pci_master_is_off(&count->last.bdf))
        count->cut_off = true;
    if (faults_notice(count, supervised->journal.name, host_ticks_ms(), text, sizeof(text)))
        log_line("%s: %s", supervised->journal.name, text);
}

void faults_look(struct faults *faults, struct supervisor *supervisor)
{
    unsigned int pieces = 0;

    while (piece_take(faults, supervisor) && ++pieces < PIECES_MAX)
        ;
    faults->began = true;
    for (unsigned int i = 0; i < supervisor->nr; i++)
        tell(supervisor->domains[i]);
}
