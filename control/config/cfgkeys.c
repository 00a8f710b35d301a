/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/cfgkeys.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What config.c acts on. */
static const char *const known[] = {
    "type",
    "name",
    "uuid",
    "kernel",
    "ramdisk",
    "cmdline",
    "extra",
    "root",
    "memory",
    "maxmem",
    "vcpus",
    "maxvcpus",
    "cpu_weight",
    "pool",
    "pci",
    "pci_seize",
    "driver_domain",
    "pci_permissive",
    "pci_msitranslate",
    "pci_power_mgmt",
    "on_poweroff",
    "on_reboot",
    "on_crash",
    "on_watchdog",
    "seclabel",
    "builder",
    "e820_host",
    "max_grant_frames",
    "max_maptrack_frames",
    "dom0_vif",
};

/* Behind a string, a comment, a list, or the one character. */
static const char *skip(const char *text)
{
    unsigned int depth = 0;

    do {
        if (*text == '"' || *text == '\'') {
            const char *end = strchr(text + 1, *text);

            text = end ? end : text + strlen(text) - 1;
        } else if (*text == '#') {
            text += strcspn(text, "\n");
            if (!*text)
                return text;
        } else if (*text == '[') {
            depth++;
        } else if (*text == ']' && depth) {
            depth--;
        }
        text++;
    } while (depth && *text);
    return text;
}

int cfgkeys_each(const char *text, int (*found)(void *ctx, const char *name), void *ctx)
{
    while (*text) {
        char name[CFGKEYS_NAME_SIZE];
        const char *end, *sign;
        int result;

        if (!isalpha((unsigned char)*text) && *text != '_') {
            text = skip(text);
            continue;
        }
        for (end = text; isalnum((unsigned char)*end) || *end == '_';)
            end++;
        for (sign = end; *sign == ' ' || *sign == '\t';)
            sign++;
        if (*sign == '=' || (*sign == '+' && sign[1] == '=')) {
            snprintf(name, sizeof(name), "%.*s", (int)(end - text), text);
            result = found(ctx, name);
            if (result)
                return result;
        }
        text = end;
    }
    return 0;
}

struct unknown {
    char *names;
    size_t size, used;
    unsigned int nr;
};

static int unknown_take(void *ctx, const char *name)
{
    struct unknown *unknown = ctx;
    int len;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], name) == 0)
            return 0;
    unknown->nr++;
    if (unknown->used < unknown->size) {
        len = snprintf(unknown->names + unknown->used, unknown->size - unknown->used, "%s%s",
                       unknown->nr > 1 ? ", " : "", name);
        unknown->used += (size_t)len;
    }
    return 0;
}

unsigned int cfgkeys_unknown(const char *text, char *names, size_t size)
{
    struct unknown unknown = { names, size, 0, 0 };

    names[0] = '\0';
    cfgkeys_each(text, unknown_take, &unknown);
    return unknown.nr;
}
