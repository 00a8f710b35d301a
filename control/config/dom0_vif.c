/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/dom0_vif.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/files.h"

#define WORD_SIZE 64

/* Of one station. */
static bool station_read(const char *text, uint8_t mac[MAC_SIZE])
{
    static const uint8_t zero[MAC_SIZE];

    return mac_read(text, strlen(text), mac) && !(mac[0] & 1) &&
           memcmp(mac, zero, sizeof(zero)) != 0;
}

static bool bridge_read(const char *text, char bridge[DOM0_VIF_BRIDGE_SIZE])
{
    if (strlen(text) >= DOM0_VIF_BRIDGE_SIZE || !files_name_ok(text))
        return false;
    snprintf(bridge, DOM0_VIF_BRIDGE_SIZE, "%s", text);
    return true;
}

/* Returns NULL or what is wrong. */
static const char *word_take(const char *word, struct dom0_vif *vif, bool *has_mac)
{
    const char *value = strchr(word, '=');

    if (!value)
        return "wants words like bridge=xenbr0, with commas between them";
    value++;
    if (strncmp(word, "mac=", 4) == 0) {
        if (*has_mac)
            return "has mac= twice";
        *has_mac = station_read(value, vif->mac);
        return *has_mac ? NULL : "wants in mac= the address of one station, as 52:54:00:12:34:56";
    }
    if (strncmp(word, "bridge=", 7) == 0) {
        if (*vif->bridge)
            return "has bridge= twice";
        return bridge_read(value, vif->bridge)
                   ? NULL
                   : "wants in bridge= a name of 1 to 15 letters, digits, '_', '-' and '.'";
    }
    return "has a word other than mac= and bridge=";
}

const char *dom0_vif_parse(const char *text, struct dom0_vif *vif_r)
{
    const char *why = NULL;
    bool has_mac = false;

    memset(vif_r, 0, sizeof(*vif_r));
    for (const char *at = text; !why;) {
        char word[WORD_SIZE];
        size_t len;

        at += strspn(at, " ");
        len = strcspn(at, ",");
        snprintf(word, sizeof(word), "%.*s", (int)(len < WORD_SIZE ? len : WORD_SIZE), at);
        while (len && len < WORD_SIZE && word[len - 1] == ' ')
            word[--len] = '\0';
        why = len < WORD_SIZE ? word_take(word, vif_r, &has_mac) : "has a word that is too long";
        at += strcspn(at, ",");
        if (!*at)
            break;
        at++;
    }
    if (!why && !*vif_r->bridge)
        why = "says no bridge=: which one of the driver domain's is dom0 to be on?";
    if (!why && !has_mac)
        why = "says no mac=: that of dom0's interface on the card will do";
    if (why)
        memset(vif_r, 0, sizeof(*vif_r));
    return why;
}
