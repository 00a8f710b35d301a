/* SPDX-License-Identifier: BSD-2-Clause */
/* config_parse(): the line of extra=. */
#include "fuzz.h"
#include "main/config.h"

#define FIELD 1024 /* MAX_GUEST_CMDLINE */

static void error_check(const char *error)
{
    const char *end = memchr(error, '\0', CONFIG_ERROR_SIZE);

    FUZZ_CHECK(end && end > error);
    for (; error < end; error++)
        FUZZ_CHECK(*error >= ' ' && *error <= '~');
}

static void bridge_check(const struct config_bridge *bridge)
{
    FUZZ_CHECK(memchr(bridge->name, '\0', sizeof(bridge->name)) && bridge->name[0]);
    FUZZ_CHECK(bridge->uplink.kind != CONFIG_NIC_INDEX || bridge->uplink.index < CONFIG_NICS_MAX);
    FUZZ_CHECK(bridge->native <= VLAN_MAX);
    FUZZ_CHECK(bridge->nr_pins <= CONFIG_PINS_MAX && bridge->nr_dns <= CONFIG_DNS_MAX);
    FUZZ_CHECK(bridge->nr_forwards <= CONFIG_FORWARDS_MAX);
    FUZZ_CHECK(bridge->len4 <= 32 && bridge->len6 <= 128);
}

static void config_check(const struct config *config)
{
    FUZZ_CHECK(config->nr_bridges >= 1 && config->nr_bridges <= CONFIG_BRIDGES_MAX);
    FUZZ_CHECK(config->log <= CONFIG_LOG_WARN && config->ageing_s > 0);
    for (unsigned int i = 0; i < config->nr_bridges; i++) {
        bridge_check(&config->bridges[i]);
        for (unsigned int j = 0; j < i; j++)
            FUZZ_CHECK(strcmp(config->bridges[i].name, config->bridges[j].name) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    char *line = calloc(1, size < FIELD ? size + 1 : FIELD); /* a NUL ends it, or the field does */
    char error[CONFIG_ERROR_SIZE];

    memset(error, 0x7f, sizeof(error));
    if (size)
        memcpy(line, data, size < FIELD ? size : FIELD);
    if (config_parse(line, FIELD, &config, error))
        error_check(error);
    else
        config_check(&config);
    free(line);
    return 0;
}
