/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which VLANs a port of a bridge carries, and how (IEEE 802.1Q). VLAN 0 is that of frames without a tag
 * on ports that have no VLANs of their own; it never has a tag.
 *
 * Pure: no DPDK. What the texts say is not trusted.
 */
#ifndef FERRY_VLAN_H
#define FERRY_VLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VLAN_IDS 4096 /* 1 to 4094 can be used; 4095 is reserved */
#define VLAN_MAX 4094
#define VLAN_NONE UINT16_MAX

struct vlan_set {
    uint16_t pvid; /* VLAN of frames that come in without a tag; VLAN_NONE: they are dropped */
    bool is_access; /* the pvid alone: what comes in with a tag is dropped, even its own */
    uint64_t members[VLAN_IDS / 64]; /* VLANs that the port carries */
    uint64_t untagged[VLAN_IDS / 64]; /* those of them that leave without a tag */
};

/* vid is below VLAN_IDS in all of these. */
static inline bool vlan_set_has(const struct vlan_set *set, uint16_t vid)
{
    return set->members[vid / 64] >> vid % 64 & 1;
}

static inline bool vlan_set_is_untagged(const struct vlan_set *set, uint16_t vid)
{
    return set->untagged[vid / 64] >> vid % 64 & 1;
}

/* Carry a VLAN, with its tag or without. */
static inline void vlan_set_add(struct vlan_set *set, uint16_t vid, bool untagged)
{
    set->is_access = false;
    set->members[vid / 64] |= 1ull << vid % 64;
    if (untagged || vid == 0)
        set->untagged[vid / 64] |= 1ull << vid % 64;
}

/* Carry a VLAN, untagged, and put what comes in without a tag there. */
static inline void vlan_set_pvid(struct vlan_set *set, uint16_t vid)
{
    vlan_set_add(set, vid, true);
    set->pvid = vid;
}

/* Carry nothing. */
void vlan_set_clear(struct vlan_set *set);

/* An access port: one VLAN, its frames without a tag. Frames with a tag are dropped, as Open vSwitch does. */
void vlan_set_access(struct vlan_set *set, uint16_t vid);

/*
 * Read a vif's bridge= as Open vSwitch's script does.
 *
 *   value        NAME              as the port of a bridge without VLANs
 *                NAME.TAG          access port, TAG is 1 to 4094
 *                NAME:VID:VID...   trunk of those VLANs with their tags, 0 to 4094; 0 stands for frames
 *                                  without a tag, which are dropped if it is not there
 *   name_r       the name, which has no '.' and no ':'
 *   size         of name_r, bytes, 1 at least
 *   set_r        set if there are VLANs
 *   has_vlans_r  are there any?
 *   why_r        set on failure only: a sentence that names the bad part and what is accepted; valid
 *                until the next call of a function of this file
 *
 * Returns 0, or -EINVAL and nothing else is set.
 * Source: Xen, tools/hotplug/Linux/vif-openvswitch; ovs-vswitchd.conf.db(5), "vlan_mode".
 */
int vlan_bridge_parse(const char *value, char *name_r, size_t size, struct vlan_set *set_r,
                      bool *has_vlans_r, const char **why_r) __attribute__((warn_unused_result));

/*
 * Read a vif's vlan=.
 *
 *   value  terms with '/' between them:
 *          VID[p|u]         one VLAN, 1 to 4094; u: without its tag; p: u, and what comes in without
 *                           a tag belongs to it (PVID)
 *          VID-VID[u]       a range, the lower one first
 *          VID+STEPxN[u]    VID and N more, each STEP above the one before
 *          One of them is the PVID; a VID that stands alone is, without saying so.
 *   set_r  set on success only; of a VID that stands alone: vlan_set_access()
 *   why_r  as above
 *
 * Returns 0 or -EINVAL. A VLAN may be named twice; without its tag if one of them says so.
 * Source: xl-network-configuration(5) of Xen 4.20, "vlan".
 */
int vlan_list_parse(const char *value, struct vlan_set *set_r, const char **why_r)
    __attribute__((warn_unused_result));

/*
 * Read VLANs of an uplink: VIDs and ranges (VID-VID), 0 to 4094, with '+' between them. All have their
 * tags but 0; there is no PVID.
 *
 *   text   len bytes
 *   set_r  set on success only
 *
 * Returns 0 or -EINVAL.
 */
int vlan_trunk_parse(const char *text, size_t len, struct vlan_set *set_r)
    __attribute__((warn_unused_result));

#endif
