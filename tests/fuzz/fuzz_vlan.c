/* SPDX-License-Identifier: BSD-2-Clause */
/* ferry/vlan.h: the three texts that say which VLANs a port carries; the first byte says which. */
#include <ferry/vlan.h>

#include "fuzz.h"

#define NAME_SIZE 16

static void set_check(const struct vlan_set *set)
{
    FUZZ_CHECK(set->pvid == VLAN_NONE || set->pvid <= VLAN_MAX);
    FUZZ_CHECK(set->pvid == VLAN_NONE || vlan_set_has(set, set->pvid));
    FUZZ_CHECK(!vlan_set_has(set, VLAN_IDS - 1));
    for (uint16_t vid = 0; vid < VLAN_IDS; vid++)
        FUZZ_CHECK(vlan_set_has(set, vid) || !vlan_set_is_untagged(set, vid));
}

static void why_check(const char *why)
{
    FUZZ_CHECK(why && *why);
    for (; *why; why++)
        FUZZ_CHECK(*why >= ' ' && *why <= '~');
}

static void bridge_check(const char *text)
{
    char name[NAME_SIZE] = "";
    struct vlan_set set;
    const char *why = NULL;
    bool has_vlans;

    memset(&set, 0xff, sizeof(set));
    if (vlan_bridge_parse(text, name, sizeof(name), &set, &has_vlans, &why)) {
        why_check(why);
        return;
    }
    FUZZ_CHECK(memchr(name, '\0', sizeof(name)) && !strpbrk(name, ".:"));
    FUZZ_CHECK(strncmp(text, name, strlen(name)) == 0);
    FUZZ_CHECK(has_vlans == (strpbrk(text, ".:") != NULL));
    if (has_vlans)
        set_check(&set);
}

static void list_check(const char *text)
{
    struct vlan_set set;
    const char *why = NULL;

    if (vlan_list_parse(text, &set, &why)) {
        why_check(why);
        return;
    }
    set_check(&set);
    FUZZ_CHECK(!vlan_set_has(&set, 0));
}

static void trunk_check(const char *text, size_t len)
{
    char *exact = fuzz_copy((const uint8_t *)text, len);
    struct vlan_set set;

    if (vlan_trunk_parse(exact, len, &set) == 0)
        set_check(&set);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    uint8_t which = fuzz_u8(&input);
    char *text = calloc(1, input.left + 1);

    if (input.left)
        memcpy(text, input.at, input.left);
    if (which % 3 == 0)
        bridge_check(text);
    else if (which % 3 == 1)
        list_check(text);
    else
        trunk_check(text, input.left);
    free(text);
    return 0;
}
