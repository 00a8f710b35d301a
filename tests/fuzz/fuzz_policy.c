/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_parse(): a text that is taken comes back in one form; one that is not is blamed in one line. */
#include <stdbool.h>

#include <ferry/policy.h>

#include "fuzz.h"

static void error_check(const char *error)
{
    const char *end = memchr(error, '\0', POLICY_ERROR_SIZE);

    FUZZ_CHECK(end && strncmp(error, "line ", 5) == 0);
    for (; error < end; error++)
        FUZZ_CHECK(*error >= ' ' && *error <= '~');
}

static void rule_check(const struct policy_rule *rule)
{
    FUZZ_CHECK(rule->direction < POLICY_DIRECTIONS && rule->proto <= POLICY_PROTO_ANY);
    FUZZ_CHECK(rule->family == 0 || rule->family == 4 || rule->family == 6);
    FUZZ_CHECK(rule->remote_len <= (rule->family == 4 ? 32 : rule->family == 6 ? 128 : 0));
    FUZZ_CHECK(rule->remote_ports.first <= rule->remote_ports.last);
    FUZZ_CHECK(rule->local_ports.first <= rule->local_ports.last);
    for (unsigned int bit = rule->remote_len; bit < 128; bit++)
        FUZZ_CHECK(!(rule->remote[bit / 8] & 0x80 >> bit % 8));
}

static void again_check(const struct policy *policy)
{
    char text[POLICY_TEXT_MAX + 1], again[POLICY_TEXT_MAX + 1], error[POLICY_ERROR_SIZE];
    size_t len = policy_print(policy, text, sizeof(text));
    struct policy other;
    char *copy;

    FUZZ_CHECK(len <= POLICY_TEXT_MAX && len == strlen(text));
    copy = fuzz_copy((const uint8_t *)text, len);
    FUZZ_CHECK(policy_parse(copy, len, &other, error) == 0);
    free(copy);
    FUZZ_CHECK(memcmp(policy, &other, sizeof(other)) == 0);
    FUZZ_CHECK(policy_print(&other, again, sizeof(again)) == len && strcmp(text, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[POLICY_ERROR_SIZE];
    struct policy policy;
    char *text = fuzz_copy(data, size);

    memset(error, 0x7f, sizeof(error));
    if (policy_parse(text, size, &policy, error)) {
        error_check(error);
    } else {
        FUZZ_CHECK(policy.nr_rules <= POLICY_RULES_MAX);
        FUZZ_CHECK(policy.nr_stations <= POLICY_STATIONS_MAX);
        for (unsigned int i = 0; i < policy.nr_rules; i++)
            rule_check(&policy.rules[i]);
        again_check(&policy);
    }
    free(text);
    return 0;
}
