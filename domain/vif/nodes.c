/* SPDX-License-Identifier: BSD-2-Clause */
#include "vif/nodes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "vif/handshake.h"
#include "xen/xenstore.h"

#define NO_HANDLE UINT32_MAX
#define NODE_SHOWN 40 /* bytes of a bad value that a sentence repeats */

static int u32_parse(uint32_t *out, uint32_t max, const char *value, size_t len)
{
    if (strlen(value) != len)
        return -EINVAL;
    return xenstore_parse_u32(value, max, out);
}

static int flag_parse(bool *out, const char *value, size_t len)
{
    uint32_t n;
    int err = u32_parse(&n, 1, value, len);

    if (!err)
        *out = n;
    return err;
}

static int text_parse(char *out, size_t size, const char *value, size_t len)
{
    if (strlen(value) != len || len >= size)
        return -EINVAL;
    for (size_t i = 0; i < len; i++)
        if (value[i] < ' ' || value[i] > '~')
            return -EINVAL;
    memcpy(out, value, len + 1);
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int mac_parse(void *out, const char *value, size_t len)
{
    struct rte_ether_addr mac;

    if (len != 17 || strlen(value) != len)
        return -EINVAL;
    for (unsigned int i = 0; i < 6; i++) {
        int hi = hex_digit(value[3 * i]), lo = hex_digit(value[3 * i + 1]);

        if (hi < 0 || lo < 0 || (i < 5 && value[3 * i + 2] != ':'))
            return -EINVAL;
        mac.addr_bytes[i] = (uint8_t)(hi << 4 | lo);
    }
    if (!rte_is_valid_assigned_ether_addr(&mac))
        return -EINVAL;
    ((struct vif_back *)out)->wish.mac = mac;
    return 0;
}

static int mtu_parse(void *out, const char *value, size_t len)
{
    uint32_t mtu;

    if (u32_parse(&mtu, NODES_MTU_MAX, value, len) || mtu < NODES_MTU_MIN)
        return -EINVAL;
    ((struct vif_back *)out)->wish.mtu = (uint16_t)mtu;
    return 0;
}

/* "bytes,microseconds", as libxl writes it. */
static int rate_parse(void *out, const char *value, size_t len)
{
    struct vif_back *back = out;
    const char *comma = memchr(value, ',', len);
    uint64_t bytes = 0;
    uint32_t us;

    if (!comma || comma == value || strlen(value) != len)
        return -EINVAL;
    for (const char *p = value; p < comma; p++) {
        if (*p < '0' || *p > '9' || bytes > (UINT64_MAX - 9) / 10)
            return -EINVAL;
        bytes = bytes * 10 + (uint64_t)(*p - '0');
    }
    if (xenstore_parse_u32(comma + 1, UINT32_MAX, &us) || us == 0 || bytes == 0)
        return -EINVAL;
    back->wish.rate = (struct port_rate){ .bytes = bytes, .interval_us = us };
    return 0;
}

/* Any path may stand in front of a script's name. */
static int script_parse(void *out, const char *value, size_t len)
{
    const char *slash = strrchr(value, '/');
    const char *name = slash ? slash + 1 : value;
    struct vif_back *back = out;

    if (strlen(value) != len || (len > 0 && !*name))
        return -EINVAL;
    return text_parse(back->wish.script, sizeof(back->wish.script), name, strlen(name));
}

#define TEXT_NODE(field, member)                                                                   \
    static int field##_parse(void *out, const char *value, size_t len)                             \
    {                                                                                              \
        struct vif_back *back = out;                                                               \
                                                                                                   \
        return text_parse(back->member, sizeof(back->member), value, len);                         \
    }
TEXT_NODE(bridge, wish.bridge)
TEXT_NODE(ip, wish.ip)
TEXT_NODE(vlan, wish.vlan)
TEXT_NODE(gatewaydev, wish.gatewaydev)
TEXT_NODE(frontend, frontend)

static int frontend_id_parse(void *out, const char *value, size_t len)
{
    return u32_parse(&((struct vif_back *)out)->frontend_id, DOMID_FIRST_RESERVED - 1, value, len);
}

static int handle_parse(void *out, const char *value, size_t len)
{
    return u32_parse(&((struct vif_back *)out)->handle, UINT16_MAX, value, len);
}

/* HVM guests have an emulated interface besides, which is dom0's: nothing changes for this one. */
static int type_parse(void *out, const char *value, size_t len)
{
    (void)out;
    if (strlen(value) != len)
        return -EINVAL;
    return strcmp(value, "vif") && strcmp(value, "vif_ioemu") ? -EINVAL : 0;
}

#define U32_NODE(field, member, max)                                                               \
    static int field##_parse(void *out, const char *value, size_t len)                             \
    {                                                                                              \
        return u32_parse(&((struct vif_front_queue *)out)->member, max, value, len);               \
    }
U32_NODE(tx_ref, tx_ref, UINT32_MAX)
U32_NODE(rx_ref, rx_ref, UINT32_MAX)
U32_NODE(port_rx, port_rx, UINT32_MAX)

static int xdp_headroom_parse(void *out, const char *value, size_t len)
{
    return u32_parse(&((struct vif_front *)out)->xdp_headroom, XDP_HEADROOM_MAX, value, len);
}

static int queues_parse(void *out, const char *value, size_t len)
{
    uint32_t nr;

    if (u32_parse(&nr, VIF_QUEUES_MAX, value, len) || nr == 0)
        return -EINVAL;
    ((struct vif_front *)out)->queues = nr;
    return 0;
}

static int port_tx_parse(void *out, const char *value, size_t len)
{
    struct vif_front_queue *queue = out;
    int err = u32_parse(&queue->port_tx, UINT32_MAX, value, len);

    queue->has_split = !err;
    return err;
}

static int port_both_parse(void *out, const char *value, size_t len)
{
    struct vif_front_queue *queue = out;
    int err = u32_parse(&queue->port_tx, UINT32_MAX, value, len);

    queue->port_rx = queue->port_tx;
    return err;
}

static int ctrl_ref_parse(void *out, const char *value, size_t len)
{
    struct vif_front *front = out;
    int err = u32_parse(&front->ctrl_ref, UINT32_MAX, value, len);

    front->has_ctrl = !err;
    return err;
}

static int ctrl_port_parse(void *out, const char *value, size_t len)
{
    return u32_parse(&((struct vif_front *)out)->ctrl_port, UINT32_MAX, value, len);
}

#define FLAG_NODE(field)                                                                           \
    static int field##_parse(void *out, const char *value, size_t len)                             \
    {                                                                                              \
        return flag_parse(&((struct vif_front *)out)->field, value, len);                          \
    }
FLAG_NODE(rx_copy)
FLAG_NODE(rx_notify)
FLAG_NODE(sg)
FLAG_NODE(gso_tcpv4)
FLAG_NODE(gso_tcpv6)
FLAG_NODE(no_csum)
FLAG_NODE(ipv6_csum)
FLAG_NODE(multicast)

static bool optional(const void *out)
{
    (void)out;
    return false;
}

static bool is_split(const void *out)
{
    return ((const struct vif_front_queue *)out)->has_split;
}

static bool is_joint(const void *out)
{
    return !is_split(out);
}

static bool has_ctrl(const void *out)
{
    return ((const struct vif_front *)out)->has_ctrl;
}

#define MAC_FORM "six pairs of hexadecimal digits, not of a group and not all 0"
#define RATE_FORM "BYTES,MICROSECONDS, neither of them 0, as xl writes it for rate=10Mb/s"
#define HEADROOM_FORM "0 to 2048"
#define MTU_FORM "68 to 65500"
#define QUEUES_FORM "1 to what multi-queue-max-queues offers"
#define IP_FORM "addresses, printable, at most 1023 bytes in all"
#define NAME_FORM "printable, at most 127 bytes"
#define DEV_FORM "the name of a bridge that has an address, at most 15 bytes"
#define SCRIPT_FORM "vif-bridge, vif-openvswitch, vif-route or vif-nat, with or without a path"

const struct node_spec nodes_back[] = {
    { "frontend-id", frontend_id_parse, NULL, NULL },
    { "frontend", frontend_parse, NULL, NULL },
    { "handle", handle_parse, optional, NULL },
    { "type", type_parse, optional, "vif or vif_ioemu" },
    { "mac", mac_parse, NULL, MAC_FORM },
    { "bridge", bridge_parse, optional, NAME_FORM },
    { "mtu", mtu_parse, optional, MTU_FORM },
    { "script", script_parse, optional, SCRIPT_FORM },
    { "rate", rate_parse, optional, RATE_FORM },
    { "ip", ip_parse, optional, IP_FORM },
    { "vlan", vlan_parse, optional, NAME_FORM },
    { "gatewaydev", gatewaydev_parse, optional, DEV_FORM },
};
const unsigned int nodes_back_nr = ARRAY_LEN(nodes_back);
const struct node_spec nodes_rate = { "rate", rate_parse, optional, RATE_FORM };

/* The order matters: event-channel-tx decides which of the others must be there. */
const struct node_spec nodes_queue[] = {
    { "tx-ring-ref", tx_ref_parse, NULL, NULL },
    { "rx-ring-ref", rx_ref_parse, NULL, NULL },
    { "event-channel-tx", port_tx_parse, optional, NULL },
    { "event-channel-rx", port_rx_parse, is_split, NULL },
    { "event-channel", port_both_parse, is_joint, NULL },
};
const unsigned int nodes_queue_nr = ARRAY_LEN(nodes_queue);

const struct node_spec nodes_front[] = {
    { "multi-queue-num-queues", queues_parse, optional, QUEUES_FORM },
    { "ctrl-ring-ref", ctrl_ref_parse, optional, NULL },
    { "event-channel-ctrl", ctrl_port_parse, has_ctrl, NULL },
    { "request-rx-copy", rx_copy_parse, NULL, NULL },
    { "feature-rx-notify", rx_notify_parse, optional, NULL },
    { "feature-sg", sg_parse, optional, NULL },
    { "feature-gso-tcpv4", gso_tcpv4_parse, optional, NULL },
    { "feature-gso-tcpv6", gso_tcpv6_parse, optional, NULL },
    { "feature-no-csum-offload", no_csum_parse, optional, NULL },
    { "feature-ipv6-csum-offload", ipv6_csum_parse, optional, NULL },
    { "request-multicast-control", multicast_parse, optional, NULL },
    { "xdp-headroom", xdp_headroom_parse, optional, HEADROOM_FORM },
};
const unsigned int nodes_front_nr = ARRAY_LEN(nodes_front);
const struct node_spec nodes_headroom = { "xdp-headroom", xdp_headroom_parse, optional,
                                          HEADROOM_FORM };
const struct node_spec nodes_multicast = { "request-multicast-control", multicast_parse, optional,
                                           NULL };

void nodes_back_init(struct vif_back *back)
{
    memset(back, 0, sizeof(*back));
    back->handle = NO_HANDLE;
}

void nodes_front_init(struct vif_front *front)
{
    memset(front, 0, sizeof(*front));
    front->queues = 1;
}

/* The start of a value, with everything unprintable replaced. */
static void value_show(char *out, size_t size, const char *value, size_t len)
{
    size_t n = 0;

    for (; n < len && n < size - 1; n++)
        out[n] = value[n] >= ' ' && value[n] <= '~' ? value[n] : '?';
    out[n] = '\0';
}

int node_take(const struct node_spec *spec, void *out, int err, const char *value, size_t len,
              char *why, size_t why_size)
{
    char shown[NODE_SHOWN + 1];

    if (err == -ENOENT || err == -EACCES) { /* xenstored hides what lies in a foreign directory */
        if (spec->wanted && !spec->wanted(out))
            return 0;
        snprintf(why, why_size, "node %s is missing", spec->name);
        return -EINVAL;
    }
    if (err) {
        snprintf(why, why_size, "node %s cannot be read: error %d", spec->name, -err);
        return err;
    }
    if (spec->wanted == is_joint && is_split(out))
        return 0;
    if (spec->parse(out, value, len) == 0)
        return 0;
    value_show(shown, sizeof(shown), value, len);
    if (spec->accepted)
        snprintf(why, why_size, "%s='%s%s' makes no sense; accepted: %s", spec->name, shown,
                 len > NODE_SHOWN ? "..." : "", spec->accepted);
    else
        snprintf(why, why_size, "node %s makes no sense: '%s'", spec->name, shown);
    return -EINVAL;
}

/* Names that stand for nothing to be done: others', ours, and what only a script could honour. */
static const char *const nodes_passed_over[] = { "state",
                                                 "online",
                                                 "vifname",
                                                 "hotplug-status",
                                                 "hotplug-error",
                                                 "carrier",
                                                 "multi-queue-max-queues",
                                                 "" };
static const char own_prefix[] = "feature-";

static bool node_is_known(const char *name)
{
    if (!strncmp(name, own_prefix, sizeof(own_prefix) - 1))
        return true;
    for (unsigned int i = 0; i < ARRAY_LEN(nodes_passed_over); i++)
        if (!strcmp(name, nodes_passed_over[i]))
            return true;
    for (unsigned int i = 0; i < nodes_back_nr; i++)
        if (!strcmp(name, nodes_back[i].name))
            return true;
    return false;
}

int nodes_back_known(const char *names, size_t len, char *why, size_t why_size)
{
    char shown[NODE_SHOWN + 1];

    for (size_t at = 0; at < len; at += strlen(names + at) + 1) {
        if (node_is_known(names + at))
            continue;
        value_show(shown, sizeof(shown), names + at, strlen(names + at));
        snprintf(why, why_size,
                 "node '%s' is not understood; accepted: mac, bridge, script, ip, rate, mtu, vlan, "
                 "gatewaydev, vifname, type",
                 shown);
        return -EOPNOTSUPP;
    }
    return 0;
}

int nodes_state_parse(const char *value, size_t len)
{
    uint32_t state;

    if (u32_parse(&state, XenbusStateReconfigured, value, len))
        return HANDSHAKE_STATE_GARBAGE;
    return (int)state;
}

/* What is wrong with a queue by itself, and beside those before it. NULL: nothing. */
static const char *queue_fault(const struct vif_front *front, unsigned int index)
{
    const struct vif_front_queue *queue = &front->queue[index];

    if (front->has_ctrl && (queue->tx_ref == front->ctrl_ref || queue->rx_ref == front->ctrl_ref))
        return "ctrl-ring-ref is the page of another ring";
    if (front->has_ctrl &&
        (queue->port_tx == front->ctrl_port || queue->port_rx == front->ctrl_port))
        return "event-channel-ctrl is the event channel of another ring";
    if (queue->tx_ref == queue->rx_ref)
        return "tx-ring-ref and rx-ring-ref are the same page";
    if (queue->has_split && queue->port_tx == queue->port_rx)
        return "event-channel-tx and event-channel-rx are the same port";
    for (unsigned int i = 0; i < index; i++) {
        const struct vif_front_queue *other = &front->queue[i];

        if (queue->tx_ref == other->tx_ref || queue->tx_ref == other->rx_ref ||
            queue->rx_ref == other->tx_ref || queue->rx_ref == other->rx_ref)
            return "tx-ring-ref or rx-ring-ref is the page of another queue";
        if (queue->port_tx == other->port_tx || queue->port_tx == other->port_rx ||
            queue->port_rx == other->port_tx || queue->port_rx == other->port_rx)
            return "event-channel is that of another queue";
    }
    return NULL;
}

int nodes_front_check(const struct vif_front *front, char *why, size_t why_size)
{
    const char *what = NULL;

    if (!front->rx_copy)
        what = "request-rx-copy is 0, but pages are never flipped";
    for (unsigned int i = 0; i < front->queues && !what; i++)
        what = queue_fault(front, i);
    if (!what)
        return 0;
    snprintf(why, why_size, "%s", what);
    return -EINVAL;
}

int nodes_back_check(const struct vif_back *back, domid_t guest, uint16_t handle, char *why,
                     size_t why_size)
{
    char path[VIF_NODE_SIZE];

    snprintf(path, sizeof(path), "/local/domain/%u/device/vif/%u", guest, handle);
    if (back->frontend_id == guest && !strcmp(back->frontend, path) &&
        (back->handle == handle || back->handle == NO_HANDLE))
        return 0;
    snprintf(why, why_size, "frontend, frontend-id and handle do not belong to this directory");
    return -EINVAL;
}
