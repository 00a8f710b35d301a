/* SPDX-License-Identifier: BSD-2-Clause */
#include <ferry/vlan.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PART_SHOWN 24 /* characters of a bad part that are shown */

#define TRUNK_FORM "VLANs are 0 to 4094 with ':' between them, as in NAME:10:20"
#define LIST_FORM                                                                                  \
    "terms are VID, VID-VID and VID+STEPxN with '/' between them, 1 to 4094, each with u behind "  \
    "it or not, one VID with p"

/* What is left of a text. */
struct text {
    const char *at;
    size_t len;
};

/* Of a term: VLANs first, first + step, ... up to last. */
struct term {
    uint32_t first, last, step;
    bool is_single; /* written as one VID */
    bool is_untagged, is_pvid;
};

static char why[192];

void vlan_set_clear(struct vlan_set *set)
{
    memset(set, 0, sizeof(*set));
    set->pvid = VLAN_NONE;
}

void vlan_set_access(struct vlan_set *set, uint16_t vid)
{
    vlan_set_clear(set);
    vlan_set_pvid(set, vid);
    set->is_access = true;
}

/* Say what is bad about a part; what cannot be printed is shown as '?'. */
static int refuse(struct text part, const char *what, const char **why_r)
{
    char shown[PART_SHOWN + 1];
    size_t len = part.len < PART_SHOWN ? part.len : PART_SHOWN;

    for (size_t i = 0; i < len; i++)
        shown[i] = part.at[i] >= ' ' && part.at[i] <= '~' ? part.at[i] : '?';
    shown[len] = '\0';
    snprintf(why, sizeof(why), "'%s%s': %s", shown, part.len > len ? "..." : "", what);
    *why_r = why;
    return -EINVAL;
}

/* The part up to a separator, or all there is; the text goes on behind it. False at the end of the text. */
static bool part_next(struct text *text, char separator, struct text *part_r)
{
    const char *end;

    if (!text->at)
        return false;
    end = memchr(text->at, separator, text->len);
    *part_r = (struct text){ text->at, end ? (size_t)(end - text->at) : text->len };
    if (end)
        *text = (struct text){ end + 1, text->len - part_r->len - 1 };
    else
        text->at = NULL;
    return true;
}

/* Takes digits off the front. False: there is none, or the number is above VLAN_MAX. */
static bool number_take(struct text *text, uint32_t *number_r)
{
    uint32_t number = 0;
    size_t i = 0;

    for (; i < text->len && text->at[i] >= '0' && text->at[i] <= '9'; i++) {
        number = number * 10 + (uint32_t)(text->at[i] - '0');
        if (number > VLAN_MAX)
            return false;
    }
    if (i == 0)
        return false;
    *text = (struct text){ text->at + i, text->len - i };
    *number_r = number;
    return true;
}

static bool char_take(struct text *text, char c)
{
    if (text->len == 0 || text->at[0] != c)
        return false;
    *text = (struct text){ text->at + 1, text->len - 1 };
    return true;
}

/* The whole of a part is a number between least and VLAN_MAX. */
static bool number_parse(struct text part, uint32_t least, uint32_t *number_r)
{
    return number_take(&part, number_r) && part.len == 0 && *number_r >= least;
}

static int trunk_parse(struct text list, struct vlan_set *set, const char **why_r)
{
    struct text part;
    uint32_t vid;

    vlan_set_clear(set);
    while (part_next(&list, ':', &part)) {
        if (!number_parse(part, 0, &vid))
            return refuse(part, TRUNK_FORM, why_r);
        if (vid == 0)
            vlan_set_pvid(set, 0);
        else
            vlan_set_add(set, (uint16_t)vid, false);
    }
    return 0;
}

static int access_parse(struct text tag, struct vlan_set *set, const char **why_r)
{
    uint32_t vid;

    if (memchr(tag.at, ':', tag.len))
        return refuse(tag,
                      "a port has one VLAN, as in NAME.10, or a trunk, as in NAME:10:20, not both",
                      why_r);
    if (!number_parse(tag, 1, &vid))
        return refuse(tag, "the VLAN of NAME.VLAN is 1 to 4094", why_r);
    vlan_set_access(set, (uint16_t)vid);
    return 0;
}

int vlan_bridge_parse(const char *value, char *name_r, size_t size, struct vlan_set *set_r,
                      bool *has_vlans_r, const char **why_r)
{
    struct text name = { value, strcspn(value, ".:") };
    struct text rest = { value + name.len, strlen(value + name.len) };
    struct vlan_set set;
    int err = 0;

    if (name.len == 0 || name.len >= size)
        return refuse(name, "not the name of a bridge", why_r);
    if (char_take(&rest, '.'))
        err = access_parse(rest, &set, why_r);
    else if (char_take(&rest, ':'))
        err = trunk_parse(rest, &set, why_r);
    else
        rest.at = NULL;
    if (err)
        return err;
    memcpy(name_r, name.at, name.len);
    name_r[name.len] = '\0';
    *has_vlans_r = rest.at != NULL;
    if (rest.at)
        *set_r = set;
    return 0;
}

/* VID, VID-VID or VID+STEPxN, without what follows. False: neither. */
static bool term_take(struct text *text, struct term *term)
{
    uint32_t count;

    if (!number_take(text, &term->first))
        return false;
    term->last = term->first;
    term->step = 1;
    if (char_take(text, '-'))
        return number_take(text, &term->last) && term->first <= term->last;
    if (!char_take(text, '+')) {
        term->is_single = true;
        return true;
    }
    if (!number_take(text, &term->step) || !char_take(text, 'x') || !number_take(text, &count))
        return false;
    term->last += term->step * count;
    return term->step > 0 && term->last <= VLAN_MAX;
}

static bool term_parse(struct text text, struct term *term)
{
    *term = (struct term){ 0 };
    if (!term_take(&text, term) || term->first == 0)
        return false;
    term->is_pvid = term->is_single && char_take(&text, 'p');
    term->is_untagged = term->is_pvid || char_take(&text, 'u');
    return text.len == 0;
}

static void term_add(struct vlan_set *set, const struct term *term)
{
    for (uint32_t vid = term->first; vid <= term->last; vid += term->step)
        vlan_set_add(set, (uint16_t)vid, term->is_untagged);
}

/* Is there a '/'? Else the term may be a VID that stands alone. */
static bool is_list(struct text text)
{
    return memchr(text.at, '/', text.len) != NULL;
}

int vlan_list_parse(const char *value, struct vlan_set *set_r, const char **why_r)
{
    struct text all = { value, strlen(value) }, rest = all, part;
    struct vlan_set set;
    struct term term = { 0 };

    vlan_set_clear(&set);
    while (part_next(&rest, '/', &part)) {
        if (!term_parse(part, &term))
            return refuse(part, LIST_FORM, why_r);
        term_add(&set, &term);
        if (!term.is_pvid)
            continue;
        if (set.pvid != VLAN_NONE && set.pvid != term.first)
            return refuse(part, "a second PVID: only one VID has a p behind it", why_r);
        set.pvid = (uint16_t)term.first;
    }
    if (!is_list(all) && term.is_single)
        vlan_set_access(&set, (uint16_t)term.first);
    if (set.pvid == VLAN_NONE)
        return refuse(all, "no PVID: one VID must have a p behind it", why_r);
    *set_r = set;
    return 0;
}

int vlan_trunk_parse(const char *text, size_t len, struct vlan_set *set_r)
{
    struct text rest = { text, len }, part;
    struct vlan_set set;

    if (len == 0)
        return -EINVAL;
    vlan_set_clear(&set);
    while (part_next(&rest, '+', &part)) {
        struct term term = { 0 };

        if (!term_take(&part, &term) || part.len > 0)
            return -EINVAL;
        term_add(&set, &term);
    }
    *set_r = set;
    return 0;
}
