/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "journal/journal.h"
#include "util/files.h"
#include "util/json.h"
#include "xen/pci.h"

void command_check_print(const struct check *check, bool all)
{
    char bdf[BDF_SIZE];

    bdf_format(&check->bdf, bdf);
    printf("%s\n", bdf);
    for (unsigned int i = 0; i < check->nr; i++) {
        const struct check_row *row = &check->rows[i];

        if (!all && row->result == CHECK_OK)
            continue;
        printf("  %-19s %-8s %s\n", row->name, check_result_word(row->result), row->seen);
        if (row->result != CHECK_OK)
            printf("  %-28s why: %s\n  %-28s do:  %s\n", "", row->why, "", row->remedy);
    }
}

static void check_json(struct json *json, const struct check *check)
{
    char bdf[BDF_SIZE];

    bdf_format(&check->bdf, bdf);
    json_map_open(json, NULL);
    json_string(json, "device", bdf);
    json_string(json, "result", check_result_word(check_worst(check)));
    json_array_open(json, "rows");
    for (unsigned int i = 0; i < check->nr; i++) {
        const struct check_row *row = &check->rows[i];

        json_map_open(json, NULL);
        json_string(json, "name", row->name);
        json_string(json, "result", check_result_word(row->result));
        json_string(json, "seen", row->seen);
        json_string(json, "why", row->why);
        json_string(json, "remedy", row->remedy);
        json_map_close(json);
    }
    json_array_close(json);
    json_map_close(json);
}

struct target {
    struct bdf nics[JOURNAL_NICS_MAX];
    unsigned int nr;
    bool permissive;
    char kernel[FILES_PATH_SIZE]; /* "": not known */
};

/* A file is a configuration; anything else must be a device. */
static int target_find(const char *what, struct target *target)
{
    struct journal known;
    struct config config;
    int err;

    if (access(what, F_OK)) {
        target->nr = 1;
        return pci_find(what, &target->nics[0]);
    }
    err = config_load(what, command_nics_known(what, &known) ? &known : NULL, &config);
    if (err)
        return err;
    memcpy(target->nics, config.nics, sizeof(target->nics));
    target->nr = config.nr_nics;
    target->permissive = config.permissive;
    snprintf(target->kernel, sizeof(target->kernel), "%s",
             config.xl.b_info.kernel ? config.xl.b_info.kernel : "");
    config_dispose(&config);
    return 0;
}

static int target_check(struct host *host, const struct target *target, bool as_json)
{
    enum check_result worst = CHECK_OK;
    struct json json;

    if (as_json) {
        json_begin(&json);
        json_array_open(&json, NULL);
    }
    for (unsigned int i = 0; i < target->nr; i++) {
        struct check check;

        check_run(host, &target->nics[i], target->permissive, target->nics, target->nr,
                  target->kernel[0] ? target->kernel : NULL, &check);
        worst = check_worst(&check) > worst ? check_worst(&check) : worst;
        if (as_json)
            check_json(&json, &check);
        else
            command_check_print(&check, true);
    }
    if (as_json) {
        json_array_close(&json);
        json_print(&json);
    } else {
        printf("%s\n", worst == CHECK_OK        ? "contained: every row holds"
                       : worst == CHECK_REFUSED ? "NOT as it must be: `ferry start` refuses it"
                                                : "nothing speaks against it, but not everything "
                                                  "could be seen");
    }
    return worst == CHECK_OK ? EXIT_OK : worst == CHECK_REFUSED ? EXIT_REFUSED : EXIT_UNKNOWN_ROWS;
}

int command_check(int argc, char **argv)
{
    struct target target = { 0 };
    bool as_json = false;
    struct host host;
    int code = command_words(argc, argv, 1, 1, "json", &as_json);

    if (code >= 0)
        return code;
    if (host_open(&host))
        return EXIT_FAILED;
    code = target_find(argv[optind], &target) ? EXIT_FAILED : target_check(&host, &target, as_json);
    host_close(&host);
    return code;
}
