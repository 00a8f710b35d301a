/* SPDX-License-Identifier: BSD-2-Clause */
/* The ports that `ferry status` shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/status_ports.h"

#define SCREEN 80

static struct top_row rows[FERRY_STATS_PORTS];
static unsigned int nr;
static char *text;

static int start(void **state)
{
    (void)state;
    memset(rows, 0, sizeof(rows));
    nr = 0;
    text = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(text);
    return 0;
}

static struct top_row *row_add(const char *name, enum ferry_port_kind kind, unsigned int flags)
{
    struct top_row *row = &rows[nr++];

    strcpy(row->port.name, name);
    strcpy(row->port.bridge, "xenbr0");
    row->port.kind = (uint8_t)kind;
    row->port.flags = (uint8_t)flags;
    return row;
}

static struct top_row *vif_add(unsigned int domid)
{
    char name[FERRY_STATS_NAME_SIZE];
    struct top_row *row;

    snprintf(name, sizeof(name), "vif%u.0", domid);
    row = row_add(name, FERRY_PORT_VIF, FERRY_PORT_UP | FERRY_PORT_CONNECTED);
    snprintf(row->guest, sizeof(row->guest), "guest%u", domid);
    return row;
}

static void write_them(bool has_rates)
{
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    status_ports_write(out, "domnet", rows, nr, has_rates);
    assert_int_equal(fclose(out), 0);
}

static unsigned int nr_lines(void)
{
    unsigned int lines = 0;

    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    return lines;
}

/* The line that begins with a word, after blanks; it must be there. */
static const char *line_of(const char *word, char line[256])
{
    size_t len = strlen(word);

    for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
        const char *first = at + strspn(at, " ");

        if (strncmp(first, word, len) == 0 && first[len] == ' ') {
            snprintf(line, 256, "%.*s", (int)strcspn(at, "\n"), at);
            return line;
        }
    }
    fail_msg("no line of %s in:\n%s", word, text);
    return NULL;
}

static void each_port_has_its_rates(void **state)
{
    struct top_row *row = row_add("nic0", FERRY_PORT_NIC, FERRY_PORT_UP);
    char line[256];

    (void)state;
    row->port.speed = 1000;
    row = vif_add(3);
    row->in_frames = 1234;
    row->in_bits = 9.8e6;
    row->out_frames = 803;
    row->out_bits = 340e3;
    write_them(true);
    assert_non_null(strstr(line_of("nic0", line), "up, 1000 Mb/s"));
    line_of("vif3.0", line);
    assert_non_null(strstr(line, "guest3"));
    assert_non_null(strstr(line, "1.2k   9.8M     803    340k  up"));
    assert_int_equal(nr_lines(), 3);
    assert_true(strcspn(text, "\n") <= SCREEN && strlen(line) <= SCREEN);
}

static void rates_that_are_not_known_are_no_zeros(void **state)
{
    char line[256];

    (void)state;
    vif_add(3);
    write_them(false);
    line_of("vif3.0", line);
    assert_non_null(strstr(line, " -      -        -      -  up"));
    assert_null(strstr(line, " 0 "));
}

static void what_does_not_work_is_said(void **state)
{
    struct top_row *row;
    char line[256];

    (void)state;
    row = row_add("nic0", FERRY_PORT_NIC, 0);
    *row->port.bridge = '\0';
    row_add("vif3.0", FERRY_PORT_VIF, 0);
    row_add("vif4.0", FERRY_PORT_VIF, FERRY_PORT_CONNECTED);
    row = row_add("vif5.0", FERRY_PORT_VIF, FERRY_PORT_UP | FERRY_PORT_CONNECTED | FERRY_PORT_FULL);
    row->port.drops[FERRY_DROP_STORM] = 2;
    row->port.drops[FERRY_DROP_FULL] = 40;
    write_them(true);
    assert_non_null(strstr(line_of("nic0", line), "NO LINK, in no bridge"));
    assert_non_null(strstr(line_of("vif3.0", line), "waits for its guest's driver"));
    assert_non_null(strstr(line_of("vif4.0", line), "connected, no carrier"));
    assert_non_null(strstr(line_of("vif5.0", line), "up, takes nothing for now, 42 dropped"));
    assert_non_null(strstr(text, "`ferry vifs domnet` shows for which reason"));
}

static void many_ports_fit_a_screen(void **state)
{
    char line[256];

    (void)state;
    for (unsigned int i = 0; i < FERRY_STATS_PORTS - 1; i++) {
        struct top_row *row = vif_add(i + 1);

        row->in_frames = 10;
        row->in_bits = 1000 * (i + 1);
    }
    rows[6].port.flags = 0; /* vif7.0 waits, vif9.0 has no carrier */
    rows[8].port.flags = FERRY_PORT_CONNECTED;
    rows[20].port.drops[FERRY_DROP_STORM] = 1;
    row_add("nic0", FERRY_PORT_NIC, 0);
    write_them(true);
    assert_int_equal(nr_lines(), 1 + STATUS_PORTS_SHOWN + 1 + 1);
    line_of("nic0", line);
    line_of("vif7.0", line);
    line_of("vif9.0", line);
    line_of("vif79.0", line); /* the busiest ones */
    line_of("vif71.0", line);
    assert_null(strstr(text, "vif70.0"));
    line_of("68", line);
    assert_non_null(strstr(line, "68 more"));
    assert_non_null(strstr(line, " 680 "));
    assert_non_null(strstr(line, "68 up, 0 not"));
    assert_non_null(strstr(text, "`ferry vifs domnet` shows all ports"));
}

static void as_many_as_fit_stay_in_their_order(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < STATUS_PORTS_SHOWN; i++)
        vif_add(i + 1)->in_bits = i;
    write_them(true);
    assert_int_equal(nr_lines(), 1 + STATUS_PORTS_SHOWN);
    assert_true(strstr(text, "vif1.0") < strstr(text, "vif12.0"));
    assert_null(strstr(text, "more"));
}

static void without_ports_nothing_is_said(void **state)
{
    (void)state;
    write_them(true);
    assert_string_equal(text, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(each_port_has_its_rates),
        TEST(rates_that_are_not_known_are_no_zeros),
        TEST(what_does_not_work_is_said),
        TEST(many_ports_fit_a_screen),
        TEST(as_many_as_fit_stay_in_their_order),
        TEST(without_ports_nothing_is_said),
    };

    return cmocka_run_group_tests_name("control_status", tests, NULL, NULL);
}
