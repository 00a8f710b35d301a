/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/dom0_vif.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/files.h"

#define MAC_TEXT_LEN 17 /* "52:54:00:12:34:56" */
#define WORD_SIZE 64

static bool mac_read(const char *text, uint8_t mac[DOM0_VIF_MAC_SIZE])
{
    static const char zero[DOM0_VIF_MAC_SIZE];
    unsigned int bytes[DOM0_VIF_MAC_SIZE];

    if (strlen(text) != MAC_TEXT_LEN || strspn(text, "0123456789abcdefABCDEF:") != MAC_TEXT_LEN ||
        sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
               &bytes[4], &bytes[5]) != DOM0_VIF_MAC_SIZE)
        return false;
    for (unsigned int i = 0; i < DOM0_VIF_MAC_SIZE; i++) {
        if (i && text[3 * i - 1] != ':')
            return false;
        mac[i] = (uint8_t)bytes[i];
    }
    return !(mac[0] & 1) && memcmp(mac, zero, DOM0_VIF_MAC_SIZE) != 0;
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
        *has_mac = mac_read(value, vif->mac);
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
