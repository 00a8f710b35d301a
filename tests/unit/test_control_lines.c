/* SPDX-License-Identifier: BSD-2-Clause */
/* Source lines behind the addresses of a report. This program is the kernel with symbols. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/lines.h"

extern const char __executable_start[];

static int landmark_line;

__attribute__((noinline)) static void landmark(void)
{
    landmark_line = __LINE__ - 2;
}

/* As the file has it: this program may lie anywhere. */
static unsigned long landmark_address(void)
{
    return (unsigned long)((uintptr_t)landmark - (uintptr_t)__executable_start);
}

/* What it prints, to be freed. */
static char *printed(char *text, const char *debug, int *err_r)
{
    char path[] = "/tmp/ferry-lines-XXXXXX", *out = NULL;
    int fd = mkstemp(path), before;
    size_t len;

    fflush(stdout);
    before = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    *err_r = lines_print(text, debug);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    close(fd);
    assert_int_equal(files_read(path, 65536, &out, &len), 0);
    unlink(path);
    return out;
}

static void a_line_with_function_and_address_is_a_place(void **state)
{
    struct lines_place place;

    (void)state;
    assert_true(lines_place_read("  rip 0000000000101df0 fault_null+0x12\n", &place));
    assert_int_equal(place.address, 0x101df0);
    assert_string_equal(place.symbol, "fault_null");
    assert_false(place.is_caller);
    assert_true(lines_place_read("      0000000000110440 fault.part.0+0x40\nmore", &place));
    assert_string_equal(place.symbol, "fault.part.0");
    assert_true(place.is_caller);
}

static void other_lines_are_none(void **state)
{
    static const char *const lines[] = {
        "",
        "rip",
        "  rip ",
        "  rip 0000000000101df0\n",
        "  rip 0000000000101df0 \n",
        "  rip 0000000000101df0 fault_null\n+0x1",
        "  rip 0000000000101df0 +0x1",
        "  rip 0000000000101dfg fault_null+0x12",
        "  rip 101df0 fault_null+0x12",
        "  rax 0000000000000000 rbx 0000000000000000 rcx 0000000000000000",
        "0000000000110440 fault+0x40",
        "  00000000001104400 fault+0x40",
        "  stack, words that point into the text:",
    };
    struct lines_place place;
    char *longest;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_false(lines_place_read(lines[i], &place));
    assert_true(asprintf(&longest, "  0000000000110440 %0*d+0x4", LINES_SYMBOL_SIZE, 0) > 0);
    assert_false(lines_place_read(longest, &place));
    free(longest);
}

static void a_place_gets_its_source_line(void **state)
{
    char *text, *out, *where;
    int err, line;

    (void)state;
    landmark();
    assert_true(asprintf(&text, "begin\n  rip %016lx landmark+0x0\nend\n", landmark_address()) > 0);
    out = printed(text, program_invocation_name, &err);
    assert_int_equal(err, 0);
    assert_non_null(strstr(out, "begin\n"));
    assert_non_null(strstr(out, " landmark+0x0  "));
    where = strstr(out, "test_control_lines.c:");
    assert_non_null(where);
    line = atoi(where + strlen("test_control_lines.c:"));
    assert_in_range(line, landmark_line,
                    landmark_line + 2); /* the compilers differ in where it begins */
    assert_non_null(strstr(out, "end\n"));
    free(out);
    free(text);
}

/* The file is of another kernel than the report. */
static void another_function_at_the_address_gets_none(void **state)
{
    char *text, *out;
    int err;

    (void)state;
    assert_true(asprintf(&text, "  rip %016lx elsewhere+0x0\n  rip %016lx landmark+0x0\n",
                         landmark_address(), landmark_address()) > 0);
    out = printed(text, program_invocation_name, &err);
    assert_int_equal(err, 0);
    assert_non_null(strstr(out, "elsewhere+0x0\n"));
    assert_non_null(strstr(out, "landmark+0x0  "));
    free(out);
    free(text);
}

static void more_places_than_fit_are_printed_as_they_are(void **state)
{
    char text[(LINES_MAX + 8) * 64] = "", *out;
    size_t len = 0, nr = 0;
    int err;

    (void)state;
    for (unsigned int i = 0; i < LINES_MAX + 8; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "  rip %016lx landmark+0x0\n",
                                landmark_address());
    out = printed(text, program_invocation_name, &err);
    assert_int_equal(err, 0);
    for (const char *at = out; (at = strchr(at, '\n')); at++)
        nr++;
    assert_int_equal(nr, LINES_MAX + 8);
    free(out);
}

static void without_addr2line_the_text_is_printed(void **state)
{
    char text[] = "  rip 0000000000001000 landmark+0x0\nend", *path = strdup(getenv("PATH")), *out;
    int err;

    (void)state;
    setenv("PATH", "/nonexistent", 1);
    out = printed(text, program_invocation_name, &err);
    setenv("PATH", path, 1);
    free(path);
    assert_int_equal(err, -ENOENT);
    assert_string_equal(out, "  rip 0000000000001000 landmark+0x0\nend\n");
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_with_function_and_address_is_a_place),
        cmocka_unit_test(other_lines_are_none),
        cmocka_unit_test(a_place_gets_its_source_line),
        cmocka_unit_test(another_function_at_the_address_gets_none),
        cmocka_unit_test(more_places_than_fit_are_printed_as_they_are),
        cmocka_unit_test(without_addr2line_the_text_is_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
