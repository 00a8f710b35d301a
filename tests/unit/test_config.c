/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "main/config.h"

#define FIELD 1024 /* MAX_GUEST_CMDLINE */

static struct config config;
static char error[CONFIG_ERROR_SIZE];

/* Parse a line in a field of just its size, so that reading past it is caught. */
static int parse_bytes(const char *bytes, size_t len, size_t size)
{
    char *line = calloc(1, size);
    int rc;

    memcpy(line, bytes, len);
    memset(error, 0, sizeof(error));
    rc = config_parse(line, size, &config, error);
    free(line);
    return rc;
}

static int parse(const char *line)
{
    return parse_bytes(line, strlen(line), FIELD);
}

/* The line is refused, and the error says so. */
static void assert_refused(const char *line, const char *said)
{
    assert_int_equal(parse(line), -EINVAL);
    if (!strstr(error, said))
        fail_msg("'%s': the error is: %s", line, error);
}

static void assert_index(unsigned int bridge, unsigned int index)
{
    assert_int_equal(config.bridges[bridge].uplink.kind, CONFIG_NIC_INDEX);
    assert_int_equal(config.bridges[bridge].uplink.index, index);
}

static void an_empty_line_means_one_bridge_on_the_first_nic(void **state)
{
    const char *const lines[] = { "", " ", "   ", "root=/dev/xvda1", "root=/dev/xvda1 " };

    (void)state;
    for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(parse(lines[i]), 0);
        assert_int_equal(config.nr_bridges, 1);
        assert_string_equal(config.bridges[0].name, "xenbr0");
        assert_index(0, 0);
        assert_int_equal(config.log, CONFIG_LOG_INFO);
        assert_int_equal(config.ageing_s, 300);
    }
}

static void the_first_bridge_gets_the_nic_if_no_uplink_is_named(void **state)
{
    (void)state;
    assert_int_equal(parse("bridge=lan bridge=inside"), 0);
    assert_int_equal(config.nr_bridges, 2);
    assert_string_equal(config.bridges[0].name, "lan");
    assert_index(0, 0);
    assert_string_equal(config.bridges[1].name, "inside");
    assert_int_equal(config.bridges[1].uplink.kind, CONFIG_NIC_NONE);
}

static void uplinks_are_as_written_once_one_is(void **state)
{
    (void)state;
    assert_int_equal(parse("bridge=inside bridge=lan,uplink=nic1 bridge=wan,uplink=nic0"), 0);
    assert_int_equal(config.bridges[0].uplink.kind, CONFIG_NIC_NONE);
    assert_index(1, 1);
    assert_index(2, 0);
    assert_int_equal(parse("bridge=inside,uplink=none"), 0);
    assert_int_equal(config.bridges[0].uplink.kind, CONFIG_NIC_NONE);
}

static void an_uplink_can_be_a_pci_address(void **state)
{
    const struct config_nic *nic = &config.bridges[0].uplink;

    (void)state;
    assert_int_equal(parse("bridge=lan,uplink=0a:1F.7"), 0);
    assert_int_equal(nic->kind, CONFIG_NIC_PCI);
    assert_int_equal(nic->pci_domain, 0);
    assert_int_equal(nic->pci_bus, 0x0a);
    assert_int_equal(nic->pci_device, 0x1f);
    assert_int_equal(nic->pci_function, 7);
    assert_int_equal(parse("bridge=lan,uplink=beef:00:01.2"), 0);
    assert_int_equal(nic->pci_domain, 0xbeef);
    assert_int_equal(nic->pci_bus, 0);
    assert_int_equal(nic->pci_device, 1);
    assert_int_equal(nic->pci_function, 2);
}

static void log_and_ageing_are_taken_in_any_order(void **state)
{
    (void)state;
    assert_int_equal(parse("ageing=1 log=debug bridge=a"), 0);
    assert_int_equal(config.ageing_s, 1);
    assert_int_equal(config.log, CONFIG_LOG_DEBUG);
    assert_int_equal(parse("log=warn  ageing=1000000"), 0);
    assert_int_equal(config.ageing_s, 1000000);
    assert_int_equal(config.log, CONFIG_LOG_WARN);
    assert_int_equal(parse("log=info"), 0);
    assert_int_equal(config.log, CONFIG_LOG_INFO);
}

static void restarts_are_a_number(void **state)
{
    (void)state;
    assert_int_equal(parse(""), 0);
    assert_int_equal(config.restarts, 10);
    assert_int_equal(parse("restarts=0"), 0);
    assert_int_equal(config.restarts, 0);
    assert_int_equal(parse("restarts=1000000"), 0);
    assert_int_equal(config.restarts, 1000000);
    assert_refused("restarts=", "not a number of restarts in a minute: 'restarts='");
    assert_refused("restarts=1000001", "not a number");
    assert_refused("restarts=-1", "not a number");
    assert_refused("restarts=1 restarts=1", "said before");
}

static void an_unknown_word_is_named_with_what_is_known(void **state)
{
    (void)state;
    assert_int_equal(parse("log=info brigde=x"), -EINVAL);
    assert_string_equal(error, "extra=: unknown word 'brigde=x'; known: "
                               "bridge=NAME[,OPTION...] policy=required log=debug|info|warn "
                               "ageing=SECONDS restarts=NUMBER");
    assert_refused("bridge", "unknown word 'bridge'");
    assert_refused("Bridge=x", "unknown word");
    assert_refused("console=hvc0", "unknown word");
    assert_refused("log=info\tageing=3", "unknown level 'log=info?ageing=3'");
    assert_refused("uplink=nic0", "unknown word");
}

static void names_that_no_bridge_can_have_are_refused(void **state)
{
    (void)state;
    assert_int_equal(parse("bridge=a bridge=xen_br-0.15 bridge=0123456789abcde"), 0);
    assert_string_equal(config.bridges[2].name, "0123456789abcde");
    assert_refused("bridge=", "not a name");
    assert_refused("bridge=,uplink=nic0", "not a name");
    assert_refused("bridge=0123456789abcdef", "not a name");
    assert_refused("bridge=.", "not a name");
    assert_refused("bridge=-x", "not a name");
    assert_refused("bridge=a/b", "not a name");
    assert_refused("bridge=a\xc3\xa9", "'bridge=a?"
                                       "?'");
}

static void uplinks_that_no_nic_can_be_are_refused(void **state)
{
    const char *const nics[] = {
        "",         "nic",       "nic32",    "nic-1",          "nic0x",          "nic000",
        "eth0",     "0",         "00:00",    "00:00.8",        "00:20.0",        "100:00.0",
        "00:00.0x", "00:00.00",  ":00.0",    "00:.0",          "00:00.",         "10000:00:00.0",
        ":00:00.0", "0:0:0:0.0", "00:00:00", "0000:00:00.0:1", "nic99999999999", "NONE",
    };
    char line[100];

    (void)state;
    for (unsigned int i = 0; i < sizeof(nics) / sizeof(nics[0]); i++) {
        snprintf(line, sizeof(line), "bridge=lan,uplink=%s", nics[i]);
        assert_refused(line, "not a NIC");
    }
}

static void options_that_no_bridge_has_are_refused(void **state)
{
    (void)state;
    assert_refused("bridge=lan,", "not an option");
    assert_refused("bridge=lan,mut=9000", "not an option");
    assert_refused("bridge=lan,uplink", "not an option");
    assert_refused("bridge=lan,uplink=nic0,uplink=nic1", "said twice");
}

static void a_name_or_a_nic_twice_is_refused(void **state)
{
    (void)state;
    assert_refused("bridge=lan bridge=lan", "second bridge");
    assert_refused("bridge=a,uplink=nic0 bridge=b,uplink=nic0", "another bridge");
    assert_refused("bridge=a,uplink=00:01.0 bridge=b,uplink=0000:00:01.0", "another bridge");
    assert_int_equal(parse("bridge=a,uplink=none bridge=b,uplink=none"), 0);
    assert_int_equal(parse("bridge=a,uplink=00:01.0 bridge=b,uplink=00:01.1"), 0);
    assert_refused("log=info log=info", "said before");
    assert_refused("ageing=5 ageing=6", "said before");
}

static void times_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_refused("ageing=", "not a time");
    assert_refused("ageing=0", "not a time");
    assert_refused("ageing=-1", "not a time");
    assert_refused("ageing=1000001", "not a time");
    assert_refused("ageing=4294967297", "not a time");
    assert_refused("ageing=300s", "not a time");
    assert_refused("ageing=0x10", "not a time");
}

static void sixteen_bridges_are_the_most(void **state)
{
    char line[FIELD] = "";

    (void)state;
    for (unsigned int i = 0; i < CONFIG_BRIDGES_MAX; i++)
        sprintf(line + strlen(line), "bridge=br%u,uplink=nic%u ", i, i);
    assert_int_equal(parse(line), 0);
    assert_int_equal(config.nr_bridges, CONFIG_BRIDGES_MAX);
    assert_index(15, 15);
    strcat(line, "bridge=more");
    assert_refused(line, "too many");
}

static void a_line_that_may_have_been_cut_is_refused(void **state)
{
    char line[FIELD];

    (void)state;
    memset(line, ' ', sizeof(line));
    assert_int_equal(parse_bytes(line, FIELD - 2, FIELD), 0);
    assert_int_equal(parse_bytes(line, FIELD - 1, FIELD), -EINVAL);
    assert_int_equal(parse_bytes(line, FIELD, FIELD), -EINVAL);
    assert_non_null(strstr(error, "too long"));
    memset(line, 'x', sizeof(line));
    assert_int_equal(parse_bytes(line, FIELD, FIELD), -EINVAL);
    assert_true(strlen(error) < CONFIG_ERROR_SIZE);
}

static void a_refused_line_changes_nothing(void **state)
{
    struct config before;

    (void)state;
    assert_int_equal(parse("bridge=kept ageing=7"), 0);
    before = config;
    assert_int_equal(parse("bridge=other ageing=0"), -EINVAL);
    assert_memory_equal(&before, &config, sizeof(config));
}

static void any_bytes_end_in_a_config_or_in_a_printable_error(void **state)
{
    static const char *const parts[] = {
        "bridge=", "uplink=", "nic", "log=",  "ageing=", "root=", ",",    " ",  ":", ".",
        "0",       "9",       "f",   "debug", "none",    "x",     "\xff", "\n", "="
    };
    char line[FIELD];

    (void)state;
    srand(1);
    for (unsigned int n = 0; n < 20000; n++) {
        size_t len = 0, words = (size_t)(rand() % 30);

        while (words--) {
            const char *part = parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))];

            memcpy(line + len, part, strlen(part));
            len += strlen(part);
        }
        if (parse_bytes(line, len, len + 2) == 0) {
            assert_in_range(config.nr_bridges, 1, CONFIG_BRIDGES_MAX);
            continue;
        }
        assert_in_range(strlen(error), 1, CONFIG_ERROR_SIZE - 1);
        for (const char *c = error; *c; c++)
            assert_in_range((unsigned char)*c, ' ', '~');
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test(name)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_line_means_one_bridge_on_the_first_nic),
        TEST(the_first_bridge_gets_the_nic_if_no_uplink_is_named),
        TEST(uplinks_are_as_written_once_one_is),
        TEST(an_uplink_can_be_a_pci_address),
        TEST(log_and_ageing_are_taken_in_any_order),
        TEST(restarts_are_a_number),
        TEST(an_unknown_word_is_named_with_what_is_known),
        TEST(names_that_no_bridge_can_have_are_refused),
        TEST(uplinks_that_no_nic_can_be_are_refused),
        TEST(options_that_no_bridge_has_are_refused),
        TEST(a_name_or_a_nic_twice_is_refused),
        TEST(times_out_of_range_are_refused),
        TEST(sixteen_bridges_are_the_most),
        TEST(a_line_that_may_have_been_cut_is_refused),
        TEST(a_refused_line_changes_nothing),
        TEST(any_bytes_end_in_a_config_or_in_a_printable_error),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
