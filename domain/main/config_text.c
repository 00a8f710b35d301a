/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of the line of extra=, and what stands in them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "main/config_internal.h"

#define SHOWN_MAX 48 /* bytes of a bad word that an error repeats */

bool text_is(struct text text, const char *string)
{
    return text.len == strlen(string) && memcmp(text.at, string, text.len) == 0;
}

struct text text_cut(struct text *rest, char separator)
{
    struct text first = *rest;
    const char *end = memchr(rest->at, separator, rest->len);

    if (end)
        first.len = (size_t)(end - rest->at);
    rest->at += first.len + (end ? 1 : 0);
    rest->len -= first.len + (end ? 1 : 0);
    return first;
}

bool text_skip(struct text *text, const char *prefix)
{
    size_t len = strlen(prefix);

    if (text->len < len || memcmp(text->at, prefix, len) != 0)
        return false;
    text->at += len;
    text->len -= len;
    return true;
}

int config_fail(struct parser *parser, struct text word, const char *what, const char *accepted)
{
    char shown[SHOWN_MAX + 1];
    size_t len = word.len < SHOWN_MAX ? word.len : SHOWN_MAX;

    for (size_t i = 0; i < len; i++)
        shown[i] = word.at[i] >= ' ' && word.at[i] <= '~' ? word.at[i] : '?';
    shown[len] = '\0';
    snprintf(parser->error, CONFIG_ERROR_SIZE, "extra=: %s '%s%s'; %s", what, shown,
             len < word.len ? "..." : "", accepted);
    return -EINVAL;
}

/* A digit's value in this base, or -1. */
static int digit_value(char c, unsigned int base)
{
    int value = -1;

    if (c >= '0' && c <= '9')
        value = c - '0';
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        value = (c | 0x20) - 'a' + 10;
    return value < (int)base ? value : -1;
}

int text_number(struct text text, unsigned int base, size_t max_digits, uint32_t max,
                uint32_t *number_r)
{
    uint32_t number = 0;

    if (text.len == 0 || text.len > max_digits)
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++) {
        int value = digit_value(text.at[i], base);

        if (value < 0)
            return -EINVAL;
        number = number * base + (uint32_t)value;
    }
    if (number > max)
        return -EINVAL;
    *number_r = number;
    return 0;
}

/* [DDDD:]BB:DD.F, hexadecimal. */
static int parse_pci(struct text text, struct config_nic *nic)
{
    uint32_t domain = 0, bus, device, function;
    struct text first = text_cut(&text, ':');

    if (memchr(text.at, ':', text.len)) {
        if (text_number(first, 16, 4, 0xffff, &domain) != 0)
            return -EINVAL;
        first = text_cut(&text, ':');
    }
    if (text_number(first, 16, 2, 0xff, &bus) != 0 ||
        text_number(text_cut(&text, '.'), 16, 2, 0x1f, &device) != 0 ||
        text_number(text, 16, 1, 7, &function) != 0)
        return -EINVAL;
    *nic = (struct config_nic){ .kind = CONFIG_NIC_PCI,
                                .pci_domain = (uint16_t)domain,
                                .pci_bus = (uint8_t)bus,
                                .pci_device = (uint8_t)device,
                                .pci_function = (uint8_t)function };
    return 0;
}

int text_nic(struct text text, struct config_nic *nic)
{
    uint32_t index;

    *nic = (struct config_nic){ .kind = CONFIG_NIC_NONE };
    if (text_is(text, "none"))
        return 0;
    if (!text_skip(&text, "nic"))
        return parse_pci(text, nic);
    if (text_number(text, 10, 2, CONFIG_NICS_MAX - 1, &index) != 0)
        return -EINVAL;
    nic->kind = CONFIG_NIC_INDEX;
    nic->index = (uint8_t)index;
    return 0;
}

int text_mac(struct text text, uint8_t mac_r[6])
{
    uint32_t bytes[6], any = 0;

    for (unsigned int i = 0; i < 6; i++) {
        struct text part = text_cut(&text, ':');

        if (part.len != 2 || text_number(part, 16, 2, 0xff, &bytes[i]) != 0)
            return -EINVAL;
        any |= bytes[i];
    }
    if (text.len > 0 || any == 0 || (bytes[0] & 1))
        return -EINVAL;
    for (unsigned int i = 0; i < 6; i++)
        mac_r[i] = (uint8_t)bytes[i];
    return 0;
}
