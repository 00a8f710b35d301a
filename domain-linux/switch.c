/* SPDX-License-Identifier: BSD-2-Clause */
#include "switch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "say.h"
#include "status.h"

#define OVS_DB "/run/openvswitch/conf.db"
#define OVS_LIMIT_MS 30000

static char *const ovs_create_argv[] = { "ovsdb-tool", "create", OVS_DB,
                                         "/usr/share/openvswitch/vswitch.ovsschema", NULL };
static char *const ovsdb_argv[] = { "ovsdb-server",
                                    OVS_DB,
                                    "--remote=punix:/run/openvswitch/db.sock",
                                    "--unixctl=/run/openvswitch/ovsdb.ctl",
                                    "--no-chdir",
                                    "-vsyslog:off",
                                    "-vconsole:warn",
                                    NULL };
static char *const vswitchd_argv[] = { "ovs-vswitchd",
                                       "unix:/run/openvswitch/db.sock",
                                       "--unixctl=/run/openvswitch/vswitchd.ctl",
                                       "--no-chdir",
                                       "-vsyslog:off",
                                       "-vconsole:warn",
                                       NULL };
static char *const ovs_init_argv[] = { "ovs-vsctl", "--timeout=20", "--no-wait", "init", NULL };

static struct child ovs_children[SWITCH_CHILDREN] = { { .argv = ovsdb_argv },
                                                      { .argv = vswitchd_argv } };

/* Per bridge: its card; "" while it is missing. */
static char cards[WORDS_BRIDGES_MAX][16];
static bool forwards[WORDS_BRIDGES_MAX];

static int ovs_run(char *const argv[])
{
    return children_run(argv, OVS_LIMIT_MS, status_beat, STATUS_BEAT_MS);
}

static int ovs_vsctl(const char *verb, const char *bridge, const char *port)
{
    char *const argv[] = { "ovs-vsctl",    "--timeout=20", "--may-exist", (char *)verb,
                           (char *)bridge, (char *)port,   NULL };

    return ovs_run(argv);
}

static bool has_ovs(const struct words *words)
{
    for (size_t i = 0; i < words->nr_bridges; i++)
        if (words->bridges[i].is_ovs)
            return true;
    return false;
}

static void ovs_start(void)
{
    if (access("/usr/bin/ovs-vswitchd", X_OK))
        say_and_shut_down("extra=: ferry.ovs= needs an image made with --ovs");
    if (ovs_run(ovs_create_argv))
        say_and_shut_down("Open vSwitch's database cannot be made");
    ovs_children[0].pid = children_start(ovsdb_argv);
    if (ovs_run(ovs_init_argv))
        say_and_shut_down("ovsdb-server does not answer");
    ovs_children[1].pid = children_start(vswitchd_argv);
}

static int bridge_make(const struct words_bridge *bridge)
{
    if (bridge->is_ovs)
        return ovs_vsctl("add-br", bridge->name, NULL);
    return net_bridge_make(bridge->name);
}

void switch_make(const struct words *words)
{
    if (has_ovs(words))
        ovs_start();
    for (size_t i = 0; i < words->nr_bridges; i++) {
        int err = bridge_make(&words->bridges[i]);

        if (err)
            say_and_shut_down("bridge %s: %s", words->bridges[i].name, strerror(-err));
    }
}

size_t switch_children(const struct words *words, struct child children_r[SWITCH_CHILDREN])
{
    if (!has_ovs(words))
        return 0;
    memcpy(children_r, ovs_children, sizeof(ovs_children));
    return SWITCH_CHILDREN;
}

static bool is_asked_for(const struct words *words, const struct net_nic *nic)
{
    for (size_t i = 0; i < words->nr_bridges; i++)
        if (words->bridges[i].nic == WORDS_NIC_MAC &&
            memcmp(words->bridges[i].mac, nic->mac, sizeof(nic->mac)) == 0)
            return true;
    return false;
}

/* The card of a bridge among those that are there; NULL while it is missing. */
static const struct net_nic *card_of(const struct words *words, size_t bridge,
                                     const struct net_nic *nics, size_t nr_nics)
{
    size_t before = 0;

    for (size_t i = 0; i < bridge; i++)
        before += words->bridges[i].nic == WORDS_NIC_NEXT;
    for (size_t i = 0; i < nr_nics; i++) {
        if (words->bridges[bridge].nic == WORDS_NIC_MAC) {
            if (memcmp(words->bridges[bridge].mac, nics[i].mac, sizeof(nics[i].mac)) == 0)
                return &nics[i];
        } else if (!is_asked_for(words, &nics[i]) && before-- == 0) {
            return &nics[i];
        }
    }
    return NULL;
}

static void card_join(const struct words_bridge *bridge, const struct net_nic *nic, char *card)
{
    int err = net_up(nic->name);

    if (!err && bridge->is_ovs)
        err = ovs_vsctl("add-port", bridge->name, nic->name);
    else if (!err)
        err = net_bridge_join(bridge->name, nic->name);
    if (err) {
        say("%s cannot be put into bridge %s: %s", nic->name, bridge->name, strerror(-err));
        return;
    }
    memcpy(card, nic->name, sizeof(nic->name));
    say("bridge %s has %s, %02x:%02x:%02x:%02x:%02x:%02x, after %lld ms", bridge->name, nic->name,
        nic->mac[0], nic->mac[1], nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5],
        (long long)children_now_ms());
}

bool switch_look(const struct words *words)
{
    static bool is_done;
    struct net_nic nics[NET_NICS_MAX];
    bool has_all = true, all_forward = true;
    size_t nr_nics;

    if (is_done)
        return true;
    nr_nics = net_nics(nics);
    for (size_t i = 0; i < words->nr_bridges; i++) {
        const struct words_bridge *bridge = &words->bridges[i];
        const struct net_nic *nic;

        if (bridge->nic == WORDS_NIC_NONE)
            continue;
        nic = cards[i][0] ? NULL : card_of(words, i, nics, nr_nics);
        if (nic)
            card_join(bridge, nic, cards[i]);
        if (!cards[i][0])
            has_all = false;
        else if (!forwards[i] && !bridge->is_ovs && net_port_forwards(bridge->name, cards[i])) {
            forwards[i] = true;
            say("bridge %s forwards after %lld ms", bridge->name, (long long)children_now_ms());
        }
        all_forward &= forwards[i] || bridge->is_ovs;
    }
    is_done = has_all && all_forward;
    return has_all;
}
