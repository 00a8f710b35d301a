/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/supervised.h"

#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "recover/recover.h"
#include "util/files.h"
#include "util/log.h"

struct supervised *supervised_new(struct supervise_common *common, const struct journal *journal)
{
    struct supervised *supervised = calloc(1, sizeof(*supervised));

    if (supervised) {
        supervised->common = common;
        supervised->journal = *journal;
        /* One whose recovery was cut short is still to be told. */
        supervised->nr_told =
            journal->nr_deaths_ever - (journal->recovering && journal->nr_deaths_ever);
        supervised->lock = -1;
    }
    return supervised;
}

void supervised_save(const struct supervised *supervised)
{
    int err = journal_save_somewhere(&supervised->journal);

    if (err)
        log_line("%s: the journal %s/%s.json cannot be written: %s%s", supervised->journal.name,
                 files_state_dir(), supervised->journal.name, strerror(-err), files_todo(err));
}

void supervised_unlock(struct supervised *supervised)
{
    if (supervised->lock >= 0) {
        flock(supervised->lock, LOCK_UN); /* a worker may have inherited it */
        close(supervised->lock);
    }
    supervised->lock = -1;
}

void supervised_alive(struct supervised *supervised)
{
    supervised->noticed_us = 0;
    supervised->retry_ms = 0;
    supervised->noted = false;
    supervised->nr_failed = 0;
}

bool supervised_is_busy(const struct supervised *supervised)
{
    return supervised->reloading || supervised->worker;
}

void supervised_report_keep(const struct supervised *supervised)
{
    recover_report_keep(&supervised->journal, supervised->report);
}
