/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The evil driver domain: Ferry's platform rooms under a kernel that turns against everybody. It does what its node
 * data/evil says: "NUMBER COMMAND WORD...", written by dom0's side of the test, each number once; the answer is
 * a line on its console, "#NUMBER done|failed: TEXT".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "arch/x86/cpu.h"
#include "command.h"
#include "libc/libc.h"
#include "pv/start.h"
#include "wait.h"
#include "xen/console.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/recovery.h"
#include "xen/status.h"
#include "xen/xenstore.h"

#define NODE "data/evil"
#define LINE_SIZE 256
#define POLL_MS 20

static const struct command *const tables[] = { commands_dma, commands_memory, commands_config,
                                                commands_guest, commands_dom0 };

uint64_t number(const char *word)
{
    char *end;
    uint64_t value = strtoull(word, &end, 0);

    if (*end || end == word)
        give_up("`%s` is no number", word);
    return value;
}

static const struct command *find(const char *name)
{
    for (unsigned int t = 0; t < ARRAY_LEN(tables); t++)
        for (const struct command *command = tables[t]; command->name; command++)
            if (strcmp(command->name, name) == 0)
                return command;
    return NULL;
}

/* Cut a line at its blanks. Returns how many words there are. */
static unsigned int words_of(char *line, char *words[COMMAND_WORDS])
{
    unsigned int nr = 0;

    while (*line && nr < COMMAND_WORDS) {
        words[nr++] = line;
        line += strcspn(line, " ");
        if (*line)
            *line++ = '\0';
    }
    return nr;
}

static void obey(char *line, uint64_t *done)
{
    char *words[COMMAND_WORDS];
    unsigned int nr = words_of(line, words);
    const struct command *command;
    const char *bad;

    if (nr < 2 || number(words[0]) <= *done)
        return;
    *done = number(words[0]);
    command = find(words[1]);
    if (!command || command->nr != nr - 2)
        give_up("#%s failed: no command %s with %u words", words[0], words[1], nr - 2);
    bad = command->run(&words[2]);
    say("#%s %s: %s", words[0], bad ? "failed" : "done", bad ? bad : note_take());
}

static void platform_up(void)
{
    recovery_init();
    status_init();
    evtchn_init();
    gnttab_init();
    console_init();
    xenstore_init();
    libc_run_constructors();
}

__noreturn void boot(void)
{
    char line[LINE_SIZE];
    uint64_t done = 0;

    platform_up();
    say("ready");
    for (;;) {
        status_beat();
        if (store_read(NODE, line, sizeof(line)) == 0)
            obey(line, &done);
        wait_ms(POLL_MS);
    }
}
