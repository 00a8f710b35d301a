/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/config.h"

#include <errno.h>
#include <string.h>

#include "main/config_internal.h"

#define KNOWN                                                                                      \
    "bridge=NAME[,OPTION...] policy=required log=debug|info|warn ageing=SECONDS restarts=NUMBER"
#define AGEING_DEFAULT 300
#define AGEING_MAX 1000000
#define RESTARTS_DEFAULT 10
#define RESTARTS_MAX 1000000

static int parse_log(struct parser *parser, struct text value, struct text word)
{
    static const char *const levels[] = {
        [CONFIG_LOG_DEBUG] = "debug",
        [CONFIG_LOG_INFO] = "info",
        [CONFIG_LOG_WARN] = "warn",
    };

    if (parser->seen_log)
        return config_fail(parser, word, "said before:", "log= stands once");
    for (unsigned int i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (text_is(value, levels[i])) {
            parser->config.log = (enum config_log)i;
            parser->seen_log = true;
            return 0;
        }
    }
    return config_fail(parser, word, "unknown level", "accepted: log=debug|info|warn");
}

static int parse_ageing(struct parser *parser, struct text value, struct text word)
{
    if (parser->seen_ageing)
        return config_fail(parser, word, "said before:", "ageing= stands once");
    if (text_number(value, 10, 7, AGEING_MAX, &parser->config.ageing_s) != 0 ||
        parser->config.ageing_s == 0)
        return config_fail(parser, word, "not a time:", "accepted: ageing=SECONDS, 1 to 1000000");
    parser->seen_ageing = true;
    return 0;
}

static int parse_restarts(struct parser *parser, struct text value, struct text word)
{
    if (parser->seen_restarts)
        return config_fail(parser, word, "said before:", "restarts= stands once");
    if (text_number(value, 10, 7, RESTARTS_MAX, &parser->config.restarts) != 0)
        return config_fail(parser, word, "not a number of restarts in a minute:",
                           "accepted: restarts=NUMBER, 0 to 1000000");
    parser->seen_restarts = true;
    return 0;
}

static int parse_policy(struct parser *parser, struct text value, struct text word)
{
    if (parser->seen_policy)
        return config_fail(parser, word, "said before:", "policy= stands once");
    if (!text_is(value, "required"))
        return config_fail(parser, word, "unknown:", "accepted: policy=required");
    parser->config.policy_required = true;
    parser->seen_policy = true;
    return 0;
}

static int parse_word(struct parser *parser, struct text word)
{
    struct text value = word;

    if (word.len == 0 || text_skip(&value, "root="))
        return 0;
    if (text_skip(&value, "bridge="))
        return config_bridge_parse(parser, value, word);
    if (text_skip(&value, "policy="))
        return parse_policy(parser, value, word);
    if (text_skip(&value, "log="))
        return parse_log(parser, value, word);
    if (text_skip(&value, "ageing="))
        return parse_ageing(parser, value, word);
    if (text_skip(&value, "restarts="))
        return parse_restarts(parser, value, word);
    return config_fail(parser, word, "unknown word", "known: " KNOWN);
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
    static struct parser parser; /* large for a stack */
    struct text rest = { line, size > 0 ? strnlen(line, size) : 0 };

    memset(&parser, 0, sizeof(parser));
    parser.config.log = CONFIG_LOG_INFO;
    parser.config.ageing_s = AGEING_DEFAULT;
    parser.config.restarts = RESTARTS_DEFAULT;
    parser.error = error;
    if (rest.len + 1 >= size && rest.len > 0)
        return config_fail(&parser, rest, "the line is too long and may have been cut:",
                           "shorten it to 1000 bytes");
    while (rest.len > 0) {
        int rc = parse_word(&parser, text_cut(&rest, ' '));

        if (rc != 0)
            return rc;
    }
    fill_in(&parser);
    *config = parser.config;
    return 0;
}
