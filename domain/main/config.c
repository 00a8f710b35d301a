/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KNOWN "bridge=NAME[,uplink=NIC] log=debug|info|warn ageing=SECONDS restarts=NUMBER"
#define NIC_FORMS "nic0 to nic31, a PCI address like 00:00.0, or none"
#define AGEING_DEFAULT 300
#define AGEING_MAX 1000000
#define RESTARTS_DEFAULT 10
#define RESTARTS_MAX 1000000
#define SHOWN_MAX 48 /* bytes of a bad word that an error repeats */

/* A piece of the line; not NUL-terminated. */
struct text {
    const char *at;
    size_t len;
};

struct parser {
    struct config config;
    bool seen_uplink, seen_log, seen_ageing, seen_restarts;
    char *error;
};

static bool text_is(struct text text, const char *string)
{
    return text.len == strlen(string) && memcmp(text.at, string, text.len) == 0;
}

/* Cut the text up to the first separator off, and the separator. */
static struct text text_cut(struct text *rest, char separator)
{
    struct text first = *rest;
    const char *end = memchr(rest->at, separator, rest->len);

    if (end)
        first.len = (size_t)(end - rest->at);
    rest->at += first.len + (end ? 1 : 0);
    rest->len -= first.len + (end ? 1 : 0);
    return first;
}

/* Take a prefix off the text if it has it. */
static bool text_skip(struct text *text, const char *prefix)
{
    size_t len = strlen(prefix);

    if (text->len < len || memcmp(text->at, prefix, len) != 0)
        return false;
    text->at += len;
    text->len -= len;
    return true;
}

/* Say what is wrong with a word. Always returns -EINVAL. */
static int fail(struct parser *parser, struct text word, const char *what, const char *accepted)
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

/* The whole text as a number of 1 to max_digits digits, not above max. */
static int text_number(struct text text, unsigned int base, size_t max_digits, uint32_t max,
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

static int parse_nic(struct text text, struct config_nic *nic)
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

static bool is_same_nic(const struct config_nic *a, const struct config_nic *b)
{
    return a->kind != CONFIG_NIC_NONE && a->kind == b->kind && a->index == b->index &&
           a->pci_domain == b->pci_domain && a->pci_bus == b->pci_bus &&
           a->pci_device == b->pci_device && a->pci_function == b->pci_function;
}

static bool is_name_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
           c == '-' || c == '.';
}

static bool is_bridge_name(struct text name)
{
    if (name.len == 0 || name.len >= CONFIG_BRIDGE_NAME_SIZE || name.at[0] == '.' ||
        name.at[0] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.at[i]))
            return false;
    return true;
}

/* Is the bridge, not counted yet, unlike those before? */
static int check_unique(struct parser *parser, const struct config_bridge *bridge, struct text word)
{
    for (const struct config_bridge *b = parser->config.bridges; b < bridge; b++) {
        if (strcmp(b->name, bridge->name) == 0)
            return fail(parser, word, "a second bridge of that name:", "names must differ");
        if (is_same_nic(&b->uplink, &bridge->uplink))
            return fail(parser, word,
                        "an uplink that another bridge has:", "a NIC belongs to one bridge");
    }
    return 0;
}

/* What follows the name: at most one uplink=NIC. */
static int parse_bridge_options(struct parser *parser, struct text options,
                                struct config_bridge *bridge, struct text word)
{
    struct text option = text_cut(&options, ',');

    if (options.len > 0)
        return fail(parser, word, "too much after the name in", "accepted: bridge=NAME,uplink=NIC");
    if (!text_skip(&option, "uplink="))
        return fail(parser, word, "not an option of a bridge in",
                    "accepted: bridge=NAME,uplink=NIC");
    if (parse_nic(option, &bridge->uplink) != 0)
        return fail(parser, word, "not a NIC in", "accepted: " NIC_FORMS);
    parser->seen_uplink = true;
    return 0;
}

static int parse_bridge(struct parser *parser, struct text value, struct text word)
{
    struct config_bridge *bridge;
    struct text options = value, name = text_cut(&options, ',');
    int rc;

    if (parser->config.nr_bridges == CONFIG_BRIDGES_MAX)
        return fail(parser, word, "one bridge too many:", "16 at most");
    if (!is_bridge_name(name))
        return fail(parser, word, "not a name for a bridge:",
                    "1 to 15 letters, digits, '_', '-', '.', the first not '-' or '.'");
    bridge = &parser->config.bridges[parser->config.nr_bridges];
    memcpy(bridge->name, name.at, name.len);
    if (name.len < value.len) {
        rc = parse_bridge_options(parser, options, bridge, word);
        if (rc != 0)
            return rc;
    }
    rc = check_unique(parser, bridge, word);
    if (rc == 0)
        parser->config.nr_bridges++;
    return rc;
}

static int parse_log(struct parser *parser, struct text value, struct text word)
{
    static const char *const levels[] = {
        [CONFIG_LOG_DEBUG] = "debug",
        [CONFIG_LOG_INFO] = "info",
        [CONFIG_LOG_WARN] = "warn",
    };

    if (parser->seen_log)
        return fail(parser, word, "said before:", "log= stands once");
    for (unsigned int i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (text_is(value, levels[i])) {
            parser->config.log = (enum config_log)i;
            parser->seen_log = true;
            return 0;
        }
    }
    return fail(parser, word, "unknown level", "accepted: log=debug|info|warn");
}

static int parse_ageing(struct parser *parser, struct text value, struct text word)
{
    if (parser->seen_ageing)
        return fail(parser, word, "said before:", "ageing= stands once");
    if (text_number(value, 10, 7, AGEING_MAX, &parser->config.ageing_s) != 0 ||
        parser->config.ageing_s == 0)
        return fail(parser, word, "not a time:", "accepted: ageing=SECONDS, 1 to 1000000");
    parser->seen_ageing = true;
    return 0;
}

static int parse_restarts(struct parser *parser, struct text value, struct text word)
{
    if (parser->seen_restarts)
        return fail(parser, word, "said before:", "restarts= stands once");
    if (text_number(value, 10, 7, RESTARTS_MAX, &parser->config.restarts) != 0)
        return fail(parser, word, "not a number of restarts in a minute:",
                    "accepted: restarts=NUMBER, 0 to 1000000");
    parser->seen_restarts = true;
    return 0;
}

static int parse_word(struct parser *parser, struct text word)
{
    struct text value = word;

    if (word.len == 0 || text_skip(&value, "root="))
        return 0;
    if (text_skip(&value, "bridge="))
        return parse_bridge(parser, value, word);
    if (text_skip(&value, "log="))
        return parse_log(parser, value, word);
    if (text_skip(&value, "ageing="))
        return parse_ageing(parser, value, word);
    if (text_skip(&value, "restarts="))
        return parse_restarts(parser, value, word);
    return fail(parser, word, "unknown word", "known: " KNOWN);
}

/* What holds when nothing is said. */
static void fill_in(struct parser *parser)
{
    struct config *config = &parser->config;

    if (config->nr_bridges == 0) {
        memcpy(config->bridges[0].name, "xenbr0", sizeof("xenbr0"));
        config->nr_bridges = 1;
    }
    if (!parser->seen_uplink)
        config->bridges[0].uplink = (struct config_nic){ .kind = CONFIG_NIC_INDEX };
}

int config_parse(const char *line, size_t size, struct config *config, char *error)
{
    struct parser parser = {
        .config = { .log = CONFIG_LOG_INFO,
                    .ageing_s = AGEING_DEFAULT,
                    .restarts = RESTARTS_DEFAULT },
        .error = error,
    };
    struct text rest = { line, size > 0 ? strnlen(line, size) : 0 };

    if (rest.len + 1 >= size && rest.len > 0)
        return fail(&parser, rest,
                    "the line is too long and may have been cut:", "shorten it to 1000 bytes");
    while (rest.len > 0) {
        int rc = parse_word(&parser, text_cut(&rest, ' '));

        if (rc != 0)
            return rc;
    }
    fill_in(&parser);
    *config = parser.config;
    return 0;
}
