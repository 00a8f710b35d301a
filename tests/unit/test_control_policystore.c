/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver domain's policy where it is read from: its nodes and who may read them, and what recoveries get. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/policies.h"
#include "config/policystore.h"
#include "fake_xs.h"
#include "xen/domain.h"

#define HOME "/local/domain/3"
#define FERRY HOME "/ferry"
#define WEB FERRY "/policy/00163e000001"
#define OTHER FERRY "/policy/00163e000002"
#define DEFAULT FERRY "/policy/default"
#define GENERATION FERRY "/policy-generation"

static struct domain_seen there;

int domain_look(struct host *host, const struct journal *journal, struct domain_seen *seen_r)
{
    (void)host;
    (void)journal;
    *seen_r = there;
    return 0;
}

static char dir[32], run[40];

static int setup(void **state)
{
    struct xs_handle *xs = fake_xs_open();

    fake_xs_put(xs, HOME, "");
    there = (struct domain_seen){ .exists = true, .is_ours = true };
    strcpy(dir, "/tmp/ferry-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    setenv("FERRY_STATE_DIR", dir, 1);
    snprintf(run, sizeof(run), "%s/run", dir);
    setenv("FERRY_RUN_DIR", run, 1);
    *state = xs;
    return 0;
}

static int teardown(void **state)
{
    journal_remove("domnet");
    assert_int_equal(rmdir(dir), 0); /* nothing was left behind */
    fake_xs_close(*state);
    return 0;
}

static struct policyfile file_of(const char *text)
{
    struct policyfile file = { 0 };
    struct policyfile_error error;

    assert_int_equal(policyfile_parse(text, &file, &error), 0);
    return file;
}

static int put(struct xs_handle *xs, const char *text)
{
    struct policyfile file = file_of(text);
    int err = policystore_put(xs, 3, &file);

    policyfile_dispose(&file);
    return err;
}

static void it_is_the_domains_to_read_and_nobody_elses(void **state)
{
    static const char *const paths[] = { FERRY, FERRY "/policy", WEB, DEFAULT, GENERATION };
    struct xs_handle *xs = *state;

    assert_int_equal(put(xs, "[default]\nisolated\n[00:16:3e:00:00:01]\nguard dhcp\n"), 0);
    assert_string_equal(fake_xs_get(xs, WEB), "guard dhcp");
    assert_string_equal(fake_xs_get(xs, DEFAULT), "isolated");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_string_equal(fake_xs_rights(xs, paths[i]), "n0,r3");
}

static void the_generation_is_counted_up_behind_the_rest(void **state)
{
    struct xs_handle *xs = *state;

    assert_int_equal(put(xs, "[default]\n"), 0);
    assert_string_equal(fake_xs_get(xs, GENERATION), "1");
    assert_string_equal(fake_xs_last_change(xs), GENERATION);
    assert_int_equal(put(xs, "[default]\n"), 0);
    assert_string_equal(fake_xs_get(xs, GENERATION), "2");
    fake_xs_put(xs, GENERATION, "nonsense");
    assert_int_equal(put(xs, ""), 0);
    assert_string_equal(fake_xs_get(xs, GENERATION), "1");
}

static void what_is_not_in_the_file_goes(void **state)
{
    struct xs_handle *xs = *state;

    fake_xs_put(xs, FERRY "/fault", "x");
    assert_int_equal(put(xs, "[00:16:3e:00:00:01]\n[00:16:3e:00:00:02]\nisolated\n"), 0);
    assert_string_equal(fake_xs_get(xs, WEB), "");
    assert_int_equal(put(xs, "[00:16:3e:00:00:01]\nisolated\n"), 0);
    assert_string_equal(fake_xs_get(xs, WEB), "isolated");
    assert_null(fake_xs_get(xs, OTHER));
    assert_string_equal(fake_xs_get(xs, FERRY "/fault"), "x");
}

/* Whichever write fails, the domain goes by what it had. */
static void all_is_written_or_nothing(void **state)
{
    struct xs_handle *xs = *state;
    int nr, err;

    assert_int_equal(put(xs, "[00:16:3e:00:00:01]\nguard dhcp\n"), 0);
    for (nr = 0; nr < 100; nr++) {
        fake_xs_allow_changes(xs, nr);
        err = put(xs, "[default]\nisolated\n[00:16:3e:00:00:02]\n");
        if (!err)
            break;
        assert_int_equal(err, -EIO);
        assert_string_equal(fake_xs_get(xs, WEB), "guard dhcp");
        assert_null(fake_xs_get(xs, DEFAULT));
        assert_string_equal(fake_xs_get(xs, GENERATION), "1");
    }
    assert_in_range(nr, 8, 20);
    assert_null(fake_xs_get(xs, WEB));
    fake_xs_refuse_commits(xs, 1000);
    assert_int_equal(put(xs, ""), -EIO);
    fake_xs_allow_changes(xs, -1);
    assert_int_equal(put(xs, ""), -EBUSY);
    assert_string_equal(fake_xs_get(xs, DEFAULT), "isolated");
}

static void a_domain_that_is_gone_gets_no_home(void **state)
{
    struct xs_handle *xs = *state;
    struct policyfile file = file_of("[default]\n");

    assert_int_equal(policystore_put(xs, 4, &file), -ENOENT);
    assert_null(fake_xs_get(xs, "/local/domain/4"));
    policyfile_dispose(&file);
}

static void it_is_read_back_as_it_stands(void **state)
{
    struct xs_handle *xs = *state;
    struct policyfile file;

    assert_int_equal(policystore_get(xs, 3, &file), 0);
    assert_int_equal(file.nr, 0);
    assert_int_equal(put(xs, "[00:16:3e:00:00:02]\n[default]\nisolated\n"), 0);
    fake_xs_put(xs, FERRY "/policy/00163E000001", "isolated");
    fake_xs_put(xs, WEB, " by hand");
    fake_xs_refuse_commits(xs, 2);
    assert_int_equal(policystore_get(xs, 3, &file), 0);
    assert_int_equal(file.nr, 3);
    assert_string_equal(file.sections[0].text, "isolated");
    assert_string_equal(file.sections[1].text, " by hand");
    assert_string_equal(file.sections[2].name, "00163e000002");
    policyfile_dispose(&file);
}

static struct journal journal_make(void)
{
    return (struct journal){ .name = "domnet",
                             .uuid = "00112233-4455-6677-8899-aabbccddeeff",
                             .domid = 3 };
}

static void what_is_loaded_is_kept(void **state)
{
    struct policyfile file = file_of("[default]\nisolated\n"), kept;
    struct host host = { .xs = *state };
    struct journal journal = journal_make();
    bool is_there = false;

    assert_int_equal(policies_load_kept(&journal, &kept), -ENOENT);
    assert_int_equal(policies_apply(&host, &journal, &file, &is_there), 0);
    assert_true(is_there && journal.has_policy);
    assert_string_equal(fake_xs_get(*state, DEFAULT), "isolated");
    memset(&journal, 0, sizeof(journal));
    assert_int_equal(journal_load("domnet", &journal), 0);
    assert_true(journal.has_policy);
    assert_int_equal(policies_load_kept(&journal, &kept), 0);
    assert_int_equal(kept.nr, 1);
    assert_string_equal(kept.sections[0].text, "isolated");
    policyfile_dispose(&kept);
    policyfile_dispose(&file);
}

static void what_cannot_be_loaded_is_not_kept(void **state)
{
    struct policyfile file = file_of("[default]\nisolated\n"), other = file_of("[default]\n"), kept;
    struct host host = { .xs = *state };
    struct journal journal = journal_make();
    bool is_there = true;

    fake_xs_allow_changes(*state, 0);
    assert_int_equal(policies_apply(&host, &journal, &file, &is_there), -EIO);
    assert_false(journal.has_policy);
    assert_int_equal(policies_load_kept(&journal, &kept), -ENOENT);
    fake_xs_allow_changes(*state, -1);
    assert_int_equal(policies_apply(&host, &journal, &file, &is_there), 0);
    fake_xs_allow_changes(*state, 3);
    assert_int_equal(policies_apply(&host, &journal, &other, &is_there), -EIO);
    assert_int_equal(policies_load_kept(&journal, &kept), 0);
    assert_string_equal(kept.sections[0].text, "isolated");
    policyfile_dispose(&kept);
    policyfile_dispose(&file);
    policyfile_dispose(&other);
}

static void a_domain_that_does_not_run_gets_it_later(void **state)
{
    struct policyfile file = file_of("[default]\nisolated\n");
    struct host host = { .xs = *state };
    struct journal journal = journal_make();
    bool is_there = true;

    there.dying = true;
    assert_int_equal(policies_apply(&host, &journal, &file, &is_there), 0);
    assert_false(is_there);
    assert_true(journal.has_policy);
    assert_null(fake_xs_get(*state, DEFAULT));
    policyfile_dispose(&file);
}

static void what_is_lost_or_damaged_is_not_taken_for_nothing(void **state)
{
    struct policyfile file = file_of("[default]\n"), kept;
    struct journal journal = journal_make();
    char path[FILES_PATH_SIZE];

    (void)state;
    journal_path("domnet", ".policy", path);
    assert_int_equal(policies_keep(&journal, &file), 0);
    unlink(path);
    assert_int_equal(policies_load_kept(&journal, &kept), -ENODATA);
    assert_int_equal(files_write(path, "[default]\nisol", 14), 0);
    assert_int_equal(policies_load_kept(&journal, &kept), -EINVAL);
    assert_int_equal(files_write(path, "[default]\n\0", 11), 0);
    assert_int_equal(policies_load_kept(&journal, &kept), -EINVAL);
    assert_int_equal(policies_keep(&journal, NULL), 0);
    assert_int_equal(policies_load_kept(&journal, &kept), -ENOENT);
    policyfile_dispose(&file);
}

static void it_is_said_in_words(void **state)
{
    static const char *const cases[][2] = {
        { "", "none" },
        { "[default]\n", "the default alone" },
        { "[00:16:3e:00:00:01]\n", "1 vif, no default" },
        { "[default]\n[00:16:3e:00:00:01]\n[00:16:3e:00:00:02]\n", "2 vifs and the default" },
    };
    char words[POLICIES_WORDS_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policyfile file = file_of(cases[i][0]);

        policies_words(&file, words);
        assert_string_equal(words, cases[i][1]);
        policyfile_dispose(&file);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_the_domains_to_read_and_nobody_elses),
        TEST(the_generation_is_counted_up_behind_the_rest),
        TEST(what_is_not_in_the_file_goes),
        TEST(all_is_written_or_nothing),
        TEST(a_domain_that_is_gone_gets_no_home),
        TEST(it_is_read_back_as_it_stands),
        TEST(what_is_loaded_is_kept),
        TEST(what_cannot_be_loaded_is_not_kept),
        TEST(a_domain_that_does_not_run_gets_it_later),
        TEST(what_is_lost_or_damaged_is_not_taken_for_nothing),
        TEST(it_is_said_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
