/* SPDX-License-Identifier: BSD-2-Clause */
#include "switch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cards.h"
#include "net.h"
#include "say.h"
#include "status.h"

#define OVS_DB "/run/openvswitch/conf.db"
#define OVS_LIMIT_MS 30000
#define RETRY_MS 1000 /* of a card that cannot be put into its bridge */

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
/* Its server was started just now, and makes its socket when it comes to it: without --retry one try is all (ovs-vsctl(8)). */
static char *const ovs_init_argv[] = { "ovs-vsctl", "--timeout=20", "--retry",
                                       "--no-wait", "init",         NULL };

static struct child ovs_children[SWITCH_CHILDREN] = { { .argv = ovsdb_argv },
                                                      { .argv = vswitchd_argv } };

/* Per bridge: its card; "" while it is missing. */
static char cards[WORDS_BRIDGES_MAX][16];
static bool forwards[WORDS_BRIDGES_MAX];
/* Per bridge: what became of its card the last time, said once for each card and errno. */
static struct {
    int err; /* 0: nothing yet */
    char card[16];
    int64_t again_ms;
} failed[WORDS_BRIDGES_MAX];

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

static void failure_note(size_t bridge, const char *bridge_name, const char *card, int err)
{
    if (failed[bridge].err != err || strcmp(failed[bridge].card, card) != 0)
        say("%s cannot be put into bridge %s: %s; tried again every second", card, bridge_name,
            strerror(-err));
    failed[bridge].err = err;
    snprintf(failed[bridge].card, sizeof(failed[bridge].card), "%s", card);
    failed[bridge].again_ms = children_now_ms() + RETRY_MS;
}

static void card_join(const struct words *words, size_t i, const struct net_nic *nic)
{
    const struct words_bridge *bridge = &words->bridges[i];
    int err;

    if (failed[i].err && children_now_ms() < failed[i].again_ms)
        return;
    err = net_up(nic->name);

    if (!err && bridge->is_ovs)
        err = ovs_vsctl("add-port", bridge->name, nic->name);
    else if (!err)
        err = net_bridge_join(bridge->name, nic->name);
    if (err) {
        failure_note(i, bridge->name, nic->name, err);
        return;
    }
    memcpy(cards[i], nic->name, sizeof(nic->name));
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
        nic = cards[i][0] ? NULL : cards_find(words, i, nics, nr_nics);
        if (nic)
            card_join(words, i, nic);
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
