/* SPDX-License-Identifier: BSD-2-Clause */
/* What `ferry status` says of links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/links.h"

static struct ferry_stats stats;

static int start(void **state)
{
    (void)state;
    memset(&stats, 0, sizeof(stats));
    return 0;
}

static struct ferry_stats_port *port_add(const char *name, enum ferry_port_kind kind, uint8_t flags,
                                         uint32_t speed)
{
    struct ferry_stats_port *port = &stats.ports[stats.nr_ports++];

    strcpy(port->name, name);
    port->kind = (uint8_t)kind;
    port->flags = flags;
    port->speed = speed;
    return port;
}

static void json_is(const char *wanted)
{
    struct json json;
    char *text;

    json_begin(&json);
    yajl_gen_config(json.gen, yajl_gen_beautify, 0);
    json_map_open(&json, NULL);
    links_json(&json, &stats);
    json_map_close(&json);
    text = json_end(&json);
    assert_non_null(text);
    assert_string_equal(text, wanted);
    free(text);
}

static void each_nic_has_its_link_and_vifs_have_none(void **state)
{
    (void)state;
    port_add("nic0", FERRY_PORT_NIC, FERRY_PORT_UP, 1000);
    port_add("nic1", FERRY_PORT_NIC, FERRY_PORT_FULL, 0);
    port_add("nic2", FERRY_PORT_NIC, FERRY_PORT_UP | FERRY_PORT_ISOLATED, 0);
    port_add("vif3.0", FERRY_PORT_VIF, FERRY_PORT_UP | FERRY_PORT_CONNECTED, 0);
    json_is("{\"links\":[{\"name\":\"nic0\",\"up\":true,\"speed\":1000},"
            "{\"name\":\"nic1\",\"up\":false},{\"name\":\"nic2\",\"up\":true}]}");
}

static void a_link_that_is_down_has_no_speed(void **state)
{
    (void)state;
    port_add("nic0", FERRY_PORT_NIC, 0, 1000);
    json_is("{\"links\":[{\"name\":\"nic0\",\"up\":false}]}");
}

static void without_nics_the_list_is_empty(void **state)
{
    (void)state;
    port_add("vif3.0", FERRY_PORT_VIF, FERRY_PORT_UP, 7);
    json_is("{\"links\":[]}");
}

static void words_say_the_same(void **state)
{
    char words[LINKS_WORDS_SIZE];

    (void)state;
    links_words(port_add("nic0", FERRY_PORT_NIC, FERRY_PORT_UP, 1000), words);
    assert_string_equal(words, "up, 1000 Mb/s");
    links_words(port_add("nic0", FERRY_PORT_NIC, FERRY_PORT_UP, UINT32_MAX), words);
    assert_string_equal(words, "up, 4294967295 Mb/s");
    links_words(port_add("nic0", FERRY_PORT_NIC, FERRY_PORT_UP, 0), words);
    assert_string_equal(words, "up");
    links_words(port_add("nic0", FERRY_PORT_NIC, 0, 1000), words);
    assert_string_equal(words, "NO LINK");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        TEST(each_nic_has_its_link_and_vifs_have_none),
        TEST(a_link_that_is_down_has_no_speed),
        TEST(without_nics_the_list_is_empty),
        TEST(words_say_the_same),
    };

    return cmocka_run_group_tests_name("control_links", tests, NULL, NULL);
}
