/* SPDX-License-Identifier: BSD-2-Clause */
/* mtu= of a bridge: what its NIC, its router and its vifs have of it, and what is refused. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_xen.h"
#include "fixture_net.h"
#include "main/carrier.h"
#include "main/vif_place.c"
#include "net/nat.h"
#include "xen/console.h"
#include "xen/domain.h"

static struct fake_port guest, wire;
static struct config config;
static struct vif_wish wish;

/* What stands around main/ in the domain. */
struct rte_mempool *mbuf_pool(void)
{
    return fixture_pool();
}

const struct port *vif_port(unsigned int index)
{
    return index < 1 && guest.port.ops ? &guest.port : NULL;
}

void vif_policies_changed(void)
{
}

void vif_carriers_changed(void)
{
}

/* The one at 00:04.0. */
static unsigned int number_of_nic;

unsigned int nic_number(const struct port *port)
{
    (void)port;
    return number_of_nic;
}

bool nic_has_address(const struct port *port, uint16_t domain, uint8_t bus, uint8_t device,
                     uint8_t function)
{
    return port == &wire.port && !domain && !bus && device == 4 && !function;
}

void console_flush_emergency(void)
{
}

void domain_shutdown(unsigned int reason)
{
    fail_msg("the domain shuts down: %u", reason);
    abort();
}

static void wish_for(const char *bridge, const char *script, uint16_t mtu)
{
    memset(&wish, 0, sizeof(wish));
    wish.guest = 300;
    wish.mac = station(1);
    wish.mtu = mtu;
    strcpy(wish.bridge, bridge);
    strcpy(wish.script, script);
}

static int setup(void **state)
{
    static const char line[1024] = "bridge=jumbo,uplink=nic1,mtu=9000,address=192.0.2.1/24 "
                                   "bridge=usual,uplink=nic0 bridge=short,uplink=00:04.0,mtu=1400 "
                                   "bridge=inside";
    char error[CONFIG_ERROR_SIZE];

    (void)state;
    fake_xen_reset();
    if (config_parse(line, sizeof(line), &config, error) != 0)
        fail_msg("%s", error);
    topology_create(&config);
    fake_port_init(&guest, "vif300.0", ~0u);
    fake_port_init(&wire, "nic0", ~0u);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vif_place_detach(&guest.port);
    bridge_port_remove(&wire.port);
    bridge_flush();
    return fixture_in_use() ? -1 : 0;
}

static const char *place(void)
{
    const char *said = "";
    int err = vif_place_policy(&guest.port, &wish, NULL, 0, &said);

    if (!err)
        err = vif_place_attach(&guest.port, &wish, &said);
    assert_int_equal(err != 0, said[0] != 0);
    return said;
}

static void a_nic_has_the_mtu_of_its_bridge(void **state)
{
    (void)state;
    assert_int_equal(topology_nic_mtu(NULL), 0);
    number_of_nic = 1;
    assert_int_equal(topology_nic_mtu(NULL), 9000);
    number_of_nic = 2;
    assert_int_equal(topology_nic_mtu(NULL), 0);
    number_of_nic = 3;
    assert_int_equal(topology_nic_mtu(&wire.port), 1400);
    assert_int_equal(router_mtu(router_find(bridge_find("jumbo"))), 9000);
}

static void a_vif_may_have_what_the_wire_has(void **state)
{
    static const struct {
        const char *bridge;
        uint16_t mtu;
        const char *refused; /* NULL: taken */
    } rows[] = {
        { "jumbo", 9000, NULL },
        { "jumbo", 68, NULL },
        { "jumbo", 9001, "of bridge jumbo; accepted: up to 9000" },
        { "usual", 1500, NULL },
        { "usual", 1501, "of bridge usual; accepted: up to 1500, or more with mtu= of the bridge" },
        { "short", 1400, NULL },
        { "short", 1500, "of bridge short; accepted: up to 1400" },
        { "inside", 65500, NULL },
    };

    (void)state;
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *said;

        wish_for(rows[i].bridge, "", rows[i].mtu);
        said = place();
        if (rows[i].refused ? !strstr(said, rows[i].refused) : said[0] != 0)
            fail_msg("%s, %u: %s", rows[i].bridge, rows[i].mtu, said);
        assert_true(strlen(said) < VIF_WHY_SIZE - 1); /* not cut */
        vif_place_detach(&guest.port);
    }
}

static void a_vif_that_says_nothing_has_the_bridges(void **state)
{
    static const struct {
        const char *bridge, *script;
        uint16_t mtu;
    } rows[] = { { "jumbo", "", 9000 },          { "jumbo", "vif-openvswitch", 9000 },
                 { "jumbo", "vif-route", 1500 }, /* whose script sets none */
                 { "usual", "", 1500 },          { "short", "vif-bridge", 1400 },
                 { "inside", "", 1500 } };

    (void)state;
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        wish_for(rows[i].bridge, rows[i].script, 0);
        if (strcmp(rows[i].script, "vif-route") == 0)
            strcpy(wish.ip, "192.0.2.40");
        assert_string_equal(place(), "");
        assert_int_equal(guest.port.mtu_usual, rows[i].mtu);
        vif_place_detach(&guest.port);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_nic_has_the_mtu_of_its_bridge),
        TEST(a_vif_may_have_what_the_wire_has),
        TEST(a_vif_that_says_nothing_has_the_bridges),
    };

    return cmocka_run_group_tests_name("vif_place_mtu", tests, fixture_start, NULL);
}
