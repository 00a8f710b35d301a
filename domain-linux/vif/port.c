/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/port.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/nodes.h"
#include "net.h"

#include <xen/io/xenbus.h>

#define SCRIPT "vif-bridge"
#define MTU_MAX 65535
#define TRIES_MAX 10 /* of a transaction */
#define WHY_SIZE 300

/* As libxl's scripts give it: the bridge must never take it for the lowest address, which would become its own. */
static const uint8_t port_mac[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };

struct port {
    struct xs_handle *xs;
    uint32_t guest, handle;
    char dir[64];
    char name[IFNAMSIZ], bridge[IFNAMSIZ];
};

static enum port_step refused(const struct port *port, const char *why)
{
    fprintf(stderr, "vif%u.%u: %s\n", port->guest, port->handle, why);
    if (!nodes_write(port->xs, port->dir, "hotplug-error", "%s", why) ||
        !nodes_write(port->xs, port->dir, "hotplug-status", "error"))
        fprintf(stderr, "vif%u.%u: its error cannot be written\n", port->guest, port->handle);
    return PORT_REFUSED;
}

/* The guest's directory too, if this was its last one. */
static enum port_step removed(const struct port *port)
{
    char above[64];

    snprintf(above, sizeof(above), PORT_DIR "/%u", port->guest);
    for (unsigned int i = 0; i < TRIES_MAX; i++) {
        xs_transaction_t t = xs_transaction_start(port->xs);
        unsigned int nr = 0;
        char **names;

        xs_rm(port->xs, t, port->dir);
        names = xs_directory(port->xs, t, above, &nr);
        if (names && nr == 0)
            xs_rm(port->xs, t, above);
        free(names);
        if (xs_transaction_end(port->xs, t, false))
            return PORT_REMOVED;
        if (errno != EAGAIN)
            break;
    }
    return PORT_STAYS;
}

/* A name that Linux takes for an interface, and that leads nowhere in sysfs. */
static bool is_name(const char *text)
{
    return *text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0 && !strpbrk(text, "/: \t\n");
}

/* A node that may be missing. Returns 0, also with "" in value; -EIO: not now; -EINVAL: too long. */
static int optional(const struct port *port, const char *node, char *value, size_t size)
{
    int err = nodes_read(port->xs, port->dir, node, value, size);

    if (err)
        value[0] = '\0';
    return err == -ENOENT ? 0 : err;
}

/* libxl always names a script: the stock one, unless the guest's vif line or xl.conf has another. */
static int script_look(const struct port *port, char why[WHY_SIZE])
{
    char script[128];
    const char *slash;
    int err = optional(port, "script", script, sizeof(script));

    if (err == -EIO)
        return err;
    slash = strrchr(script, '/');
    if (!err && (!*script || strcmp(slash ? slash + 1 : script, SCRIPT) == 0))
        return 0;
    snprintf(why, WHY_SIZE,
             "its script is %.100s, and this image runs none: make it with `ferry image linux "
             "--scripts`",
             err ? "a long name" : script);
    return -EINVAL;
}

static int bridge_look(struct port *port, char why[WHY_SIZE])
{
    int err = optional(port, "bridge", port->bridge, sizeof(port->bridge));

    if (err == -EIO)
        return err;
    if (!err && !*port->bridge && net_bridge_only(port->bridge)) {
        snprintf(why, WHY_SIZE,
                 "its vif line names no bridge, and there is not exactly one: add "
                 "bridge= to it");
        return -EINVAL;
    }
    if (err || !is_name(port->bridge) || !net_is_bridge(port->bridge)) {
        snprintf(why, WHY_SIZE,
                 "there is no bridge '%s' here: ferry.bridge= in the driver domain's extra= makes "
                 "it",
                 err ? "with so long a name" : port->bridge);
        return -ENODEV;
    }
    return 0;
}

/* Returns 0; -EAGAIN while netback has not made the interface, or xenstore does not say. */
static int interface_look(struct port *port, char why[WHY_SIZE])
{
    char wanted[IFNAMSIZ];
    int err = optional(port, "vifname", wanted, sizeof(wanted));

    if (err == -EIO)
        return -EAGAIN;
    if (err || (*wanted && !is_name(wanted))) {
        snprintf(why, WHY_SIZE, "its vifname= is no name for an interface");
        return -EINVAL;
    }
    snprintf(port->name, sizeof(port->name), "vif%u.%u", port->guest, port->handle);
    if (!if_nametoindex(port->name)) {
        if (!*wanted || !net_is_vif(wanted, port->guest, port->handle))
            return -EAGAIN;
        strcpy(port->name, wanted); /* named before, by one that came no further */
        return 0;
    }
    if (*wanted && strcmp(wanted, port->name) != 0) {
        err = net_rename(port->name, wanted);
        if (err) {
            snprintf(why, WHY_SIZE, "its interface cannot be named %s: %s", wanted, strerror(-err));
            return err;
        }
        strcpy(port->name, wanted);
    }
    return 0;
}

/* What its line says, or what its bridge has; the guest is told. */
static int mtu_set(const struct port *port)
{
    uint32_t mtu = 0;
    char dir[64];
    int err = nodes_number(port->xs, port->dir, "mtu", MTU_MAX, &mtu);

    if (err == -EIO)
        return -EAGAIN;
    if (err || !mtu)
        mtu = (uint32_t)net_mtu(port->bridge);
    if (!mtu)
        return 0;
    err = net_mtu_set(port->name, (int)mtu);
    if (err)
        fprintf(stderr, "vif%u.%u: its MTU cannot be set to %u: %s\n", port->guest, port->handle,
                mtu, strerror(-err));
    snprintf(dir, sizeof(dir), "/local/domain/%u/device/vif/%u", port->guest, port->handle);
    if (!err && !nodes_write(port->xs, dir, "mtu", "%u", mtu))
        fprintf(stderr, "vif%u.%u: its guest cannot be told the MTU: %s\n", port->guest,
                port->handle, strerror(errno));
    return 0;
}

static int join(const struct port *port)
{
    int err = net_mac_set(port->name, port_mac);

    if (!err)
        err = mtu_set(port);
    if (!err)
        err = net_bridge_join(port->bridge, port->name);
    if (err == -EBUSY && net_is_port(port->bridge, port->name))
        err = 0; /* by one that died then */
    return err ? err : net_up(port->name);
}

static enum port_step plug(struct port *port)
{
    char why[WHY_SIZE];
    int err = script_look(port, why);

    if (!err)
        err = bridge_look(port, why);
    if (!err)
        err = interface_look(port, why);
    if (err == -EIO || err == -EAGAIN)
        return PORT_STAYS;
    if (err)
        return refused(port, why);
    err = join(port);
    if (err == -EAGAIN)
        return PORT_STAYS;
    if (err) {
        snprintf(why, sizeof(why), "%s cannot be put into bridge %s: %s", port->name, port->bridge,
                 strerror(-err));
        return refused(port, why);
    }
    return nodes_write(port->xs, port->dir, "hotplug-status", "connected") ? PORT_PLUGGED
                                                                           : PORT_STAYS;
}

enum port_step port_look(struct xs_handle *xs, uint32_t guest, uint32_t handle)
{
    struct port port = { .xs = xs, .guest = guest, .handle = handle };
    char status[32];
    uint32_t online;
    int state, err;

    snprintf(port.dir, sizeof(port.dir), PORT_DIR "/%u/%u", guest, handle);
    state = nodes_state(xs, port.dir);
    if (state == XenbusStateClosed && nodes_number(xs, port.dir, "online", 1, &online) == 0 &&
        online == 0)
        return removed(&port);
    if (state != XenbusStateInitialising && state != XenbusStateInitWait)
        return PORT_STAYS;
    /* libxl makes the node, empty; ferryd leaves it out. */
    err = nodes_read(xs, port.dir, "hotplug-status", status, sizeof(status));
    return err == -ENOENT || (!err && !*status) ? plug(&port) : PORT_STAYS;
}
