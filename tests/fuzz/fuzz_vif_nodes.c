/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vif's directory and its frontend's, dom0's policies, and a xenstore that answers anything and changes
 * between two answers; before real bridges and routers. A vif is refused with a sentence that names a key,
 * or what it is taken for is what the nodes said, within what the headers promise. All is gone with the
 * directory, and the same input again comes to the same end.
 *
 * The input: a byte of settings, and changes (fuzz_store.h).
 */
#define FUZZ_POOL_ROOM (2048 + RTE_PKTMBUF_HEADROOM) /* VIF_MBUF_ROOM for data */

#include <ctype.h>
#include <errno.h>

#include <ferry/policy.h>
#include <ferry/vlan.h>

#include "fake_xen.h"
#include "fuzz_mbuf.h"
#include "fuzz_store.h"
#include "main/carrier.h"
#include "main/topology.h"
#include "main/vif_place.h"
#include "net/bridge.h"
#include "net/egress.h"
#include "net/filter.h"
#include "vif/device.h"
#include "xen/console.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"

#define LINE                                                                                       \
    "bridge=xenbr0,uplink=nic0 bridge=inside bridge=lan,uplink=nic1,address=10.77.0.2/24,"         \
    "address6=fd00:77::2/64 bridge=dmz,isolated,storm=100"
#define MS 1000000ull

/* Settings. */
#define POLICY_REQUIRED 0x01
#define PATIENT 0x02 /* time passes: frontends get connected, what failed is tried again */
#define AGAIN 0x04 /* the same once more */

static unsigned int nr_attached, nr_tried;
static bool has_policy; /* vif_place_policy() has said yes since the vif was found */
static uint8_t rings[2][4096] __attribute__((aligned(4096)));
static struct config config;

/* What main and its friends need around them. */
struct rte_mempool *mbuf_pool(void)
{
    return fuzz_pool();
}

unsigned int nic_number(const struct port *port)
{
    (void)port;
    return 0;
}

bool nic_has_address(const struct port *port, uint16_t domain, uint8_t bus, uint8_t device,
                     uint8_t function)
{
    (void)port, (void)domain, (void)bus, (void)device, (void)function;
    return false;
}

void console_flush_emergency(void)
{
}

void domain_shutdown(unsigned int reason)
{
    (void)reason;
    abort();
}

static const struct store_value *said(enum store_node node)
{
    return &fuzz_store.served[node];
}

static bool is_missing(enum store_node node)
{
    return said(node)->err == -ENOENT || said(node)->err == -EACCES;
}

/* A text that was taken is the node's, whole and printable, and fits. */
static void text_check(enum store_node node, const char *text, size_t size, const char *from)
{
    FUZZ_CHECK(memchr(text, '\0', size));
    if (is_missing(node)) {
        FUZZ_CHECK(!*text);
        return;
    }
    FUZZ_CHECK(!said(node)->err && strlen(said(node)->bytes) == said(node)->len);
    FUZZ_CHECK(strcmp(text, from) == 0);
    for (; *text; text++)
        FUZZ_CHECK(*text >= ' ' && *text <= '~');
}

/* A decimal number without anything around it. */
static uint64_t number_of(const char *text, char end)
{
    char *behind;
    uint64_t n = strtoull(text, &behind, 10);

    FUZZ_CHECK(isdigit((unsigned char)*text) && *behind == end);
    return n;
}

static void numbers_check(const struct vif_wish *wish)
{
    const char *rate = said(STORE_RATE)->bytes, *comma = strchr(rate, ',');
    char mac[18];

    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", wish->mac.addr_bytes[0],
             wish->mac.addr_bytes[1], wish->mac.addr_bytes[2], wish->mac.addr_bytes[3],
             wish->mac.addr_bytes[4], wish->mac.addr_bytes[5]);
    FUZZ_CHECK(!said(STORE_MAC)->err && said(STORE_MAC)->len == 17);
    FUZZ_CHECK(strcasecmp(mac, said(STORE_MAC)->bytes) == 0 && !(wish->mac.addr_bytes[0] & 1));
    FUZZ_CHECK(is_missing(STORE_MTU) || (wish->mtu >= NODES_MTU_MIN && wish->mtu <= NODES_MTU_MAX));
    FUZZ_CHECK(wish->mtu == (is_missing(STORE_MTU) ? 0 : number_of(said(STORE_MTU)->bytes, '\0')));
    if (is_missing(STORE_RATE)) {
        FUZZ_CHECK(wish->rate.bytes == 0);
        return;
    }
    FUZZ_CHECK(comma && wish->rate.bytes && wish->rate.interval_us);
    FUZZ_CHECK(wish->rate.bytes == number_of(rate, ','));
    FUZZ_CHECK(wish->rate.interval_us == number_of(comma + 1, '\0'));
}

/* Names that are taken without being read, as docs/topology.md says. */
static bool is_harmless(const char *name)
{
    return strncmp(name, "feature-", 8) == 0 || !*name || !strcmp(name, "state") ||
           !strcmp(name, "online") || !strcmp(name, "vifname") || !strcmp(name, "hotplug-status") ||
           !strcmp(name, "hotplug-error") || !strcmp(name, "multi-queue-max-queues");
}

static void listing_check(void)
{
    static const char read[] = " frontend-id frontend handle type mac bridge mtu script rate ip "
                               "vlan gatewaydev ";
    char word[64];

    for (size_t at = 0; at < fuzz_store.listed_len; at += strlen(fuzz_store.listed + at) + 1) {
        const char *name = fuzz_store.listed + at;

        if (is_harmless(name))
            continue;
        FUZZ_CHECK((size_t)snprintf(word, sizeof(word), " %s ", name) < sizeof(word));
        FUZZ_CHECK(!strpbrk(name, " ") && strstr(read, word));
    }
}

static void wish_check(const struct vif_wish *wish)
{
    const char *script = said(STORE_SCRIPT)->bytes, *slash = strrchr(script, '/');
    const char *type = said(STORE_TYPE)->bytes;

    listing_check();
    FUZZ_CHECK(wish->guest == 7 && wish->handle == 0 && wish->index < VIF_MAX);
    FUZZ_CHECK(number_of(said(STORE_FRONTEND_ID)->bytes, '\0') == 7);
    FUZZ_CHECK(strcmp(said(STORE_FRONTEND)->bytes, STORE_FRONT) == 0);
    FUZZ_CHECK(is_missing(STORE_HANDLE) || number_of(said(STORE_HANDLE)->bytes, '\0') == 0);
    FUZZ_CHECK(is_missing(STORE_TYPE) || !strcmp(type, "vif") || !strcmp(type, "vif_ioemu"));
    text_check(STORE_BRIDGE, wish->bridge, sizeof(wish->bridge), said(STORE_BRIDGE)->bytes);
    text_check(STORE_IP, wish->ip, sizeof(wish->ip), said(STORE_IP)->bytes);
    text_check(STORE_VLAN, wish->vlan, sizeof(wish->vlan), said(STORE_VLAN)->bytes);
    text_check(STORE_GATEWAYDEV, wish->gatewaydev, sizeof(wish->gatewaydev),
               said(STORE_GATEWAYDEV)->bytes);
    text_check(STORE_SCRIPT, wish->script, sizeof(wish->script), slash ? slash + 1 : script);
    numbers_check(wish);
}

/* The port keeps what the wish says, or more. */
static void port_check(const struct port *port, const struct vif_wish *wish)
{
    const struct vlan_set *set = port->vlans;
    bool is_routed = !strcmp(wish->script, "vif-nat") || !strcmp(wish->script, "vif-route");
    const char *dot = strpbrk(wish->bridge, ".:");

    FUZZ_CHECK(!port->bridge == is_routed && !port->router != is_routed);
    FUZZ_CHECK(!set || set->pvid == VLAN_NONE || vlan_set_has(set, set->pvid));
    FUZZ_CHECK(!set || !vlan_set_has(set, VLAN_IDS - 1));
    FUZZ_CHECK(set || (!wish->vlan[0] && (is_routed || !dot)));
    FUZZ_CHECK(is_routed || !wish->gatewaydev[0]);
    FUZZ_CHECK(!set || !port->bridge || !dot || *dot != '.' ||
               set->pvid == number_of(dot + 1, '\0'));
    if (port->bridge) {
        const char *name = bridge_name(port->bridge);
        size_t len = dot ? (size_t)(dot - wish->bridge) : strlen(wish->bridge);

        FUZZ_CHECK(strlen(name) == len && strncmp(name, wish->bridge, len) == 0);
        FUZZ_CHECK(strcmp(name, "dmz") != 0 || (port->isolated && port->storm_limit));
    }
    FUZZ_CHECK(port->storm_limit <= POLICY_STORM_MAX);
    FUZZ_CHECK(!port->rx_rate.bytes == !port->rx_rate.interval_us);
    FUZZ_CHECK(!port->tx_rate.bytes == !port->tx_rate.interval_us);
    FUZZ_CHECK(is_routed || !wish->ip[strspn(wish->ip, " ,\t")] ||
               (port->filter && port->filter->has_sources));
    if (!port->filter)
        return;
    FUZZ_CHECK(rte_is_same_ether_addr(&port->filter->mac, &wish->mac));
    FUZZ_CHECK(port->filter->nr_ip4 <= FILTER_SOURCES_MAX &&
               port->filter->nr_ip6 <= FILTER_SOURCES_MAX);
    FUZZ_CHECK(port->filter->nr_rules[0] + port->filter->nr_rules[1] <= POLICY_RULES_MAX);
}

/* A sentence for the user. */
static void why_check(const char *why)
{
    static const char *const keys[] = {
        "frontend",    "node ",     "type=",    "mac=",      "bridge",        "mtu=",
        "script=",     "rate=",     "ip=",      "vlan=",     "gatewaydev=",   "policy",
        "VLANs",       "directory", "xenstore", "-ring-ref", "event-channel", "request-rx-copy",
        "multi-queue", "feature-",  "tx ring",  "rx ring"
    };
    bool names_key = false;

    FUZZ_CHECK(*why && strlen(why) < VIF_WHY_SIZE);
    for (const char *at = why; *at; at++)
        FUZZ_CHECK(*at >= ' ' && *at <= '~');
    for (unsigned int i = 0; i < ARRAY_LEN(keys); i++)
        names_key |= strstr(why, keys[i]) != NULL;
    FUZZ_CHECK(names_key);
}

static int host_policy(struct port *port, const struct vif_wish *wish, const char *text, size_t len,
                       const char **why_r)
{
    const struct store_value *own = said(STORE_POLICY), *common = said(STORE_POLICY_DEFAULT);
    const struct store_value *from = own->err == -ENOENT ? common : own;
    int err = vif_place_policy(port, wish, text, len, why_r);

    FUZZ_CHECK(!text == !!from->err);
    FUZZ_CHECK(!text || (len == from->len && memcmp(text, from->bytes, len) == 0));
    fuzz_store_sum(&err, sizeof(err));
    if (err)
        why_check(*why_r);
    has_policy |= !err;
    return err;
}

static int host_attach(struct port *port, const struct vif_wish *wish, const char **why_r)
{
    int err;

    FUZZ_CHECK(nr_attached == 0 && has_policy);
    wish_check(wish);
    err = vif_place_attach(port, wish, why_r);
    nr_tried++;
    fuzz_store_sum(&err, sizeof(err));
    if (err) {
        why_check(*why_r);
        FUZZ_CHECK(!port->bridge && !port->router);
        return err;
    }
    nr_attached++;
    port_check(port, wish);
    return 0;
}

static void host_detach(struct port *port)
{
    FUZZ_CHECK(nr_attached == 1);
    nr_attached--;
    vif_place_detach(port);
    FUZZ_CHECK(!port->bridge && !port->router);
}

static void host_input(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    (void)port;
    rte_pktmbuf_free_bulk(frames, nr);
}

static void main_start(void)
{
    const struct vif_host host = { .policy = host_policy,
                                   .attach = host_attach,
                                   .detach = host_detach,
                                   .carrier = carrier_of,
                                   .input = host_input,
                                   .pool = fuzz_pool(),
                                   .notes = egress_notes(),
                                   .queue_mbufs = 64 };
    char line[1024] = LINE, error[CONFIG_ERROR_SIZE];
    static bool is_started;

    if (is_started)
        return;
    is_started = true;
    FUZZ_CHECK(config_parse(line, sizeof(line), &config, error) == 0);
    topology_create(&config);
    FUZZ_CHECK(vif_init(&host) == 0);
}

static void changes_read(struct fuzz_input *input)
{
    for (fuzz_store.nr_changes = 0; fuzz_store.nr_changes < STORE_CHANGES && input->left;) {
        struct store_change *c = &fuzz_store.changes[fuzz_store.nr_changes++];

        c->when = fuzz_u8(input) % 80;
        c->node = fuzz_u8(input) % STORE_NR_NODES;
        c->what = fuzz_u8(input) % 8;
        c->arg = fuzz_u8(input);
        c->len = fuzz_take(input, c->arg, &c->bytes);
    }
}

/* Returns a sum over all that happened. */
static uint64_t life(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    uint8_t settings = fuzz_u8(&input);

    fake_xen_reset();
    main_start();
    vif_place_init(settings & POLICY_REQUIRED);
    memset(rings, 0, sizeof(rings));
    fake_grant(7, 8, rings[0]);
    fake_grant(7, 9, rings[1]);
    fake_port_offer(7, 11);
    fake_port_offer(7, 12);
    fuzz_store.sum = fuzz_store.nr_requests = nr_attached = nr_tried = 0;
    fuzz_store.refused[0] = '\0';
    has_policy = false;
    changes_read(&input);
    fuzz_store_change(0);
    FUZZ_CHECK(vif_watch() == 0);
    fake_xen_sleep(settings & PATIENT ? 500 * MS : 5 * MS);
    fuzz_store_change(UINT8_MAX - 1);
    vif_receive_all();
    fake_xen_sleep(settings & PATIENT ? 500 * MS : 5 * MS);
    fuzz_store_sum(&nr_attached, sizeof(nr_attached));
    fuzz_store_sum(&nr_tried, sizeof(nr_tried));
    if (fuzz_store.refused[0])
        why_check(fuzz_store.refused);
    fuzz_store_end();
    for (unsigned int i = 0; i < 1000 && vif_nr(); i++)
        fake_xen_sleep(5 * MS);
    FUZZ_CHECK(vif_nr() == 0 && nr_attached == 0 && fuzz_store_watches() == 1);
    FUZZ_CHECK(gnttab_nr_maps() == 0 && evtchn_nr_open() == 0 && fuzz_pool_in_use() == 0);
    return fuzz_store.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t first = life(data, size);

    FUZZ_CHECK(size == 0 || !(data[0] & AGAIN) || life(data, size) == first);
    return 0;
}
