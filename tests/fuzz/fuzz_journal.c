/* SPDX-License-Identifier: BSD-2-Clause */
/* journal_decode(): a journal that is taken is within its bounds, and comes back the same once it is written. */
#include "journal/journal_json.h"
#include "journal/record.h"

#include "fuzz.h"

static void journal_check(const struct journal *journal)
{
    FUZZ_CHECK(memchr(journal->name, '\0', sizeof(journal->name)));
    FUZZ_CHECK(memchr(journal->uuid, '\0', sizeof(journal->uuid)));
    FUZZ_CHECK(memchr(journal->kernel, '\0', sizeof(journal->kernel)));
    FUZZ_CHECK(journal->nr_nics <= JOURNAL_NICS_MAX && journal->nr_deaths <= JOURNAL_DEATHS_MAX);
    FUZZ_CHECK(journal->wish <= JOURNAL_GIVEN_UP);
    for (unsigned int i = 0; i < journal->nr_deaths; i++) {
        const struct journal_death *death = &journal->deaths[i];

        FUZZ_CHECK(death->nr_steps <= JOURNAL_STEPS_MAX);
        FUZZ_CHECK(memchr(death->cause, '\0', sizeof(death->cause)));
        FUZZ_CHECK(memchr(death->reason, '\0', sizeof(death->reason)));
        FUZZ_CHECK(memchr(death->last_port, '\0', sizeof(death->last_port)));
        for (unsigned int s = 0; s < death->nr_steps; s++)
            FUZZ_CHECK(memchr(death->steps[s].name, '\0', JOURNAL_STEP_SIZE));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct journal journal, again;
    char *text = malloc(size + 1), *written, *rewritten;

    memcpy(text, data, size);
    text[size] = '\0';
    memset(&journal, 0x5a, sizeof(journal));
    if (journal_decode(text, &journal) == 0) {
        journal_check(&journal);
        written = journal_encode(&journal);
        FUZZ_CHECK(written && journal_decode(written, &again) == 0);
        rewritten = journal_encode(&again);
        FUZZ_CHECK(rewritten && strcmp(written, rewritten) == 0);
        free(written);
        free(rewritten);
    }
    free(text);
    return 0;
}
