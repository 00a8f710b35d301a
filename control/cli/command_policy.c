/* SPDX-License-Identifier: BSD-2-Clause */
/* policy: what the vifs of a driver domain may do, while it runs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/journal_read.h"
#include "config/policies.h"
#include "config/policystore.h"
#include "journal/journal.h"
#include "util/files.h"
#include "util/json.h"
#include "util/log.h"
#include "xen/domain.h"

struct asked {
    bool check, show, json;
    const char *name, *file; /* file: NULL if it is not said */
};

/* What the user named must be there. */
static int file_load(const struct asked *asked, struct policyfile *file_r)
{
    char path[FILES_PATH_SIZE];
    int err;

    if (asked->file)
        snprintf(path, sizeof(path), "%s", asked->file);
    else
        policies_path(asked->name, path);
    err = policies_load(path, file_r);
    if (err == -ENOENT)
        log_line("%s: there is no such file", path);
    return err;
}

static int check(const struct asked *asked)
{
    char words[POLICIES_WORDS_SIZE];
    struct policyfile file;

    if (file_load(asked, &file))
        return EXIT_FAILED;
    policies_words(&file, words);
    printf("as it should be: %s\n", words);
    policyfile_dispose(&file);
    return EXIT_OK;
}

static int linux_refuses(const struct journal *journal)
{
    return command_linux_refuses(journal, "the policies for vifs",
                                 "filter in its guests, or use Ferry's kernel");
}

static int load(struct host *host, struct journal *journal, const struct policyfile *file)
{
    char words[POLICIES_WORDS_SIZE];
    bool is_there;

    if (journal->is_linux ? linux_refuses(journal)
                          : policies_apply(host, journal, file, &is_there)) {
        log_line("%s: nothing is changed", journal->name);
        return EXIT_FAILED;
    }
    policies_words(file, words);
    printf("policy of %s: %s%s\n", journal->name, words,
           is_there ? "" : "; it does not run: from its next start on");
    return EXIT_OK;
}

/* Everything is read and judged before anything is touched. */
static int load_asked(const struct asked *asked)
{
    struct policyfile file;
    struct journal journal;
    struct host host;
    int lock, code;

    if (file_load(asked, &file))
        return EXIT_FAILED;
    code = command_journal_take(asked->name, &journal, &lock);
    if (!code) {
        code = EXIT_FAILED;
        if (host_open(&host) == 0) {
            code = load(&host, &journal, &file);
            host_close(&host);
        }
        close(lock);
        command_tell_ferryd();
    }
    policyfile_dispose(&file);
    return code;
}

static void lines_json(struct json *json, const char *text)
{
    json_array_open(json, "statements");
    while (*text) {
        size_t len = strcspn(text, "\n");
        char *line = strndup(text, len);

        if (line && *line)
            json_string(json, NULL, line);
        free(line);
        text += len + (text[len] == '\n');
    }
    json_array_close(json);
}

static void show_json(const struct policyfile *file)
{
    struct json json;

    json_begin(&json);
    json_array_open(&json, NULL);
    for (unsigned int i = 0; i < file->nr; i++) {
        char title[POLICYFILE_TITLE_SIZE];

        policyfile_title(&file->sections[i], title);
        json_map_open(&json, NULL);
        json_string(&json, "vif", title);
        lines_json(&json, file->sections[i].text);
        json_map_close(&json);
    }
    json_array_close(&json);
    json_print(&json);
}

/* Somebody may have written there by hand. */
static void sense_wanted(const struct journal *journal, struct policyfile *file)
{
    struct policyfile_error error;
    const char *section;

    if (policyfile_check(file, &section, &error))
        log_line(
            "%s: what stands for %s in xenstore makes no sense: %s; `ferry policy %s` writes it "
            "anew",
            journal->name, section, error.text, journal->name);
}

/* What it has, or if it does not run, what it will have. */
static int shown_get(struct host *host, const struct journal *journal, struct policyfile *file_r)
{
    int err;

    if (domain_is_there(host, journal)) {
        err = policystore_get(host->xs, journal->domid, file_r);
        if (err)
            log_line("%s: its policy cannot be read from xenstore: %s", journal->name,
                     strerror(-err));
        else
            sense_wanted(journal, file_r);
        return err;
    }
    log_line("%s does not run; this is what it gets when it does", journal->name);
    err = policies_load_kept(journal, file_r);
    return err == -ENOENT ? 0 : err;
}

static int show(const struct asked *asked)
{
    struct journal journal;
    struct policyfile file = { 0 };
    struct host host;
    int code = journal_read(asked->name, &journal);

    if (code)
        return code;
    if (host_open(&host))
        return EXIT_FAILED;
    code = EXIT_FAILED;
    if (journal.is_linux) {
        linux_refuses(&journal);
    } else if (shown_get(&host, &journal, &file) == 0) {
        if (asked->json)
            show_json(&file);
        else
            policyfile_print(&file, stdout);
        policyfile_dispose(&file);
        code = EXIT_OK;
    }
    host_close(&host);
    return code;
}

static const struct option options[] = {
    { "check", no_argument, NULL, 'c' }, { "show", no_argument, NULL, 's' },
    { "json", no_argument, NULL, 'j' },  { "file", required_argument, NULL, 'f' },
    { "help", no_argument, NULL, 'h' },  { 0 }
};

static bool is_sensible(const struct asked *asked, int words)
{
    if (words < 1 || words > 2 || (words == 2 && (!asked->check || asked->file)))
        return false;
    return !(asked->check && asked->show) && !(asked->show && asked->file) &&
           !(asked->json && !asked->show);
}

int command_policy(int argc, char **argv)
{
    struct asked asked = { 0 };
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        if (option == 'h')
            return command_help();
        if (option == '?')
            return command_usage();
        asked.check = asked.check || option == 'c';
        asked.show = asked.show || option == 's';
        asked.json = asked.json || option == 'j';
        if (option == 'f')
            asked.file = optarg;
    }
    if (!is_sensible(&asked, argc - optind))
        return command_usage();
    asked.name = argv[optind];
    if (argc - optind == 2)
        asked.file = argv[optind + 1];
    if (!files_name_ok(asked.name)) {
        log_line("'%.63s' cannot be the name of a driver domain", asked.name);
        return EXIT_NO_SUCH;
    }
    return asked.check ? check(&asked) : asked.show ? show(&asked) : load_asked(&asked);
}
