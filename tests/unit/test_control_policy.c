/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver domain's policy in dom0: its file, its nodes, and what of it is kept. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <ferry/policy.h>

#include "config/policyfile.h"
#include "fake_xs.h"
#include "util/files.h"

static struct policyfile parsed(const char *text)
{
    struct policyfile file;
    struct policyfile_error error = { 0 };
    int err = policyfile_parse(text, &file, &error);

    if (err)
        print_message("%u: %s\n", error.line, error.text);
    assert_int_equal(err, 0);
    return file;
}

static char *printed(const struct policyfile *file)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    policyfile_print(file, out);
    fclose(out);
    return text;
}

static void sections_are_read(void **state)
{
    struct policyfile file = parsed("# about\r\n"
                                    "\n"
                                    "  [00:16:3E:00:00:aB]  # a web server\r\n"
                                    "\tguard   dhcp  # no server\n"
                                    "isolated\n"
                                    "[default]\n"
                                    "storm 100 ; isolated\n"
                                    "[00:16:3e:00:00:01]");
    bool has_default;

    (void)state;
    assert_int_equal(file.nr, 3);
    assert_string_equal(file.sections[0].name, "default");
    assert_string_equal(file.sections[1].name, "00163e000001");
    assert_string_equal(file.sections[1].text, "");
    assert_string_equal(file.sections[2].name, "00163e0000ab");
    assert_int_equal(file.sections[2].line, 3);
    assert_string_equal(file.sections[2].text, "isolated\nguard dhcp");
    assert_int_equal(policyfile_vifs(&file, &has_default), 2);
    assert_true(has_default);
    policyfile_dispose(&file);
}

static void a_file_may_be_empty(void **state)
{
    static const char *const texts[] = { "", "\n", "# nothing\n\n", "#" };
    bool has_default;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct policyfile file = parsed(texts[i]);

        assert_int_equal(policyfile_vifs(&file, &has_default), 0);
        assert_false(has_default);
        policyfile_dispose(&file);
    }
}

static void what_is_printed_reads_the_same(void **state)
{
    struct policyfile file = parsed("[00:16:3e:00:00:02]\nstation 00:16:3e:00:00:02\n"
                                    "allow in proto tcp local-port 80\ndefault deny in\n"
                                    "[default]\n[00:16:3e:00:00:01]\nisolated\n");
    char *first = printed(&file), *second;
    struct policyfile again = parsed(first);

    (void)state;
    second = printed(&again);
    assert_string_equal(first, second);
    assert_int_equal(strncmp(first, "[default]\n\n[00:16:3e:00:00:01]\nisolated\n\n[00:", 45), 0);
    free(first);
    free(second);
    policyfile_dispose(&file);
    policyfile_dispose(&again);
}

static void errors_say_where_and_what_is_accepted(void **state)
{
    static const struct {
        const char *text;
        unsigned int line;
        const char *said;
    } cases[] = {
        { "isolated\n", 1, "write [00:16:3e:00:00:01]" },
        { "\n\n[defualt]\n", 3, "or [default]" },
        { "[00:16:3e:00:00:1]\n", 1, "[00:16:3e:00:00:01]" },
        { "[00:16:3e:00:00:0g]\n", 1, "begins no section" },
        { "[00-16-3e-00-00-01]\n", 1, "begins no section" },
        { "[00:16:3e:00:00:01:02]\n", 1, "begins no section" },
        { "[]\n", 1, "begins no section" },
        { "[", 1, "begins no section" },
        { "[default] isolated\n", 1, "begins no section" },
        { "[vif web:0]\n", 1, "begins no section" },
        { "[01:16:3e:00:00:01]\n", 1, "a group" },
        { "[00:00:00:00:00:00]\n", 1, "no vif" },
        { "[default]\n\n[00:16:3e:00:00:0a]\n[00:16:3E:00:00:0A]\n", 4, "line 3 already" },
        { "[default]\nisolated\n[default]\n", 3, "line 1 already" },
        { "# x\n[default]\nisolated\n\n# y\nisolate\n", 6, "isolate" },
        { "[default]\nisolated; storm x\n", 2, "x" },
        { "[00:16:3e:00:00:01]\nguard dhcp ra maac # z\n[default]\n", 2, "maac" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policyfile file = { .nr = 77 };
        struct policyfile_error error = { 0 };

        assert_int_equal(policyfile_parse(cases[i].text, &file, &error), -EINVAL);
        assert_int_equal(file.nr, 77);
        if (error.line != cases[i].line || !strstr(error.text, cases[i].said) ||
            strncmp(error.text, "line ", 5) == 0)
            fail_msg("%zu: %u: %s", i, error.line, error.text);
    }
}

static char *repeated(const char *head, const char *line, unsigned int nr)
{
    size_t size = strlen(head) + nr * strlen(line) + 1;
    char *text = malloc(size);

    strcpy(text, head);
    for (unsigned int i = 0; i < nr; i++)
        strcat(text, line);
    return text;
}

static void comments_do_not_count(void **state)
{
    char *text = repeated("[default]\nisolated\n", "# a comment of some length\n", 200);
    struct policyfile file = parsed(text);

    (void)state;
    assert_string_equal(file.sections[0].text, "isolated");
    policyfile_dispose(&file);
    free(text);
}

static void a_section_that_is_too_long_is_refused(void **state)
{
    char *text = repeated("[default]\n", "allow in proto tcp local-port 1\n", 100);
    struct policyfile_error error = { 0 };
    struct policyfile file;

    (void)state;
    assert_int_equal(policyfile_parse(text, &file, &error), -EINVAL);
    assert_int_equal(error.line, 1);
    assert_non_null(strstr(error.text, "2000"));
    free(text);
}

static void too_many_sections_are_refused(void **state)
{
    char *text = calloc(POLICYFILE_SECTIONS_MAX + 1, 24);
    struct policyfile_error error = { 0 };
    struct policyfile file;
    size_t len = 0;

    (void)state;
    for (unsigned int i = 0; i < POLICYFILE_SECTIONS_MAX; i++)
        len += (size_t)sprintf(text + len, "[00:16:3e:00:%02x:%02x]\n", i >> 8, i & 255);
    file = parsed(text);
    assert_int_equal(file.nr, POLICYFILE_SECTIONS_MAX);
    policyfile_dispose(&file);
    strcpy(text + len, "[default]\n");
    assert_int_equal(policyfile_parse(text, &file, &error), -EINVAL);
    assert_int_equal(error.line, POLICYFILE_SECTIONS_MAX + 1);
    free(text);
}

static char *example_read(void)
{
    char *text;

    assert_int_equal(files_read(EXAMPLE, 65536, &text, NULL), 0);
    return text;
}

static void the_example_works_as_printed(void **state)
{
    char *text = example_read();
    struct policyfile file = parsed(text);
    struct policy policy;
    char error[POLICY_ERROR_SIZE];
    bool has_default;

    (void)state;
    assert_int_equal(policyfile_vifs(&file, &has_default), 3);
    assert_true(has_default);
    for (unsigned int i = 0; i < file.nr; i++)
        assert_int_equal(
            policy_parse(file.sections[i].text, strlen(file.sections[i].text), &policy, error), 0);
    assert_int_equal(policy.nr_stations, 1); /* of the last one */
    policyfile_dispose(&file);
    free(text);
}

/* Whatever a file holds, it is read, or refused with a line that is in it. */
static void a_damaged_file_is_read_or_refused(void **state)
{
    char *text = example_read();
    unsigned int nr_lines = 1;

    (void)state;
    for (const char *at = text; *at; at++)
        nr_lines += *at == '\n';
    for (char *at = text; *at; at++) {
        for (const char *other = "[]#:;\n\r\xff\x01 0g"; *other; other++) {
            struct policyfile_error error = { 0 };
            struct policyfile file;
            char kept = *at;
            int err;

            *at = *other;
            err = policyfile_parse(text, &file, &error);
            if (err) {
                assert_int_equal(err, -EINVAL);
                assert_true(error.line >= 1 && error.line <= nr_lines + 1 && *error.text);
            } else {
                policyfile_dispose(&file);
            }
            *at = kept;
        }
    }
    free(text);
}

static void what_stands_in_xenstore_is_judged(void **state)
{
    struct policyfile file = { 0 };
    struct policyfile_error error;
    const char *section = NULL;

    (void)state;
    assert_int_equal(policyfile_add(&file, "default", "  isolated ; # x", 0), 0);
    assert_int_equal(policyfile_add(&file, "default", "", 0), -EEXIST);
    assert_int_equal(policyfile_check(&file, &section, &error), 0);
    assert_string_equal(file.sections[0].text, "isolated");
    assert_int_equal(policyfile_add(&file, "00163e000001", "nonsense", 0), 0);
    assert_int_equal(policyfile_check(&file, &section, &error), -EINVAL);
    assert_string_equal(section, "00163e000001");
    assert_non_null(strstr(error.text, "nonsense"));
    policyfile_dispose(&file);
}

static void names_of_nodes(void **state)
{
    (void)state;
    assert_true(policyfile_name_ok("default"));
    assert_true(policyfile_name_ok("00163e0000ab"));
    assert_false(policyfile_name_ok("00163E0000AB"));
    assert_false(policyfile_name_ok("00163e0000a"));
    assert_false(policyfile_name_ok("00163e0000abc"));
    assert_false(policyfile_name_ok("00:16:3e:0:1"));
    assert_false(policyfile_name_ok(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_read),
        cmocka_unit_test(a_file_may_be_empty),
        cmocka_unit_test(what_is_printed_reads_the_same),
        cmocka_unit_test(errors_say_where_and_what_is_accepted),
        cmocka_unit_test(comments_do_not_count),
        cmocka_unit_test(a_section_that_is_too_long_is_refused),
        cmocka_unit_test(too_many_sections_are_refused),
        cmocka_unit_test(the_example_works_as_printed),
        cmocka_unit_test(a_damaged_file_is_read_or_refused),
        cmocka_unit_test(what_stands_in_xenstore_is_judged),
        cmocka_unit_test(names_of_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
