/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ferry/address.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A copy of just its size, so that reading past it is caught. */
static int parse(int family, const char *text, uint8_t *out)
{
    size_t len = strlen(text);
    char *copy = malloc(len + !len);
    int err;

    memcpy(copy, text, len);
    err = family == AF_INET6 ? address6_parse(copy, len, out) : address4_parse(copy, len, out);
    free(copy);
    return err;
}

static void assert_as_libc(int family, const char *text)
{
    uint8_t ours[16] = { 0 }, theirs[16] = { 0 };
    int good = inet_pton(family, text, theirs);

    if ((parse(family, text, ours) == 0) != (good == 1))
        fail_msg("'%s' is judged differently", text);
    if (good == 1)
        assert_memory_equal(ours, theirs, sizeof(ours));
}

static void good_and_bad_texts_are_judged_as_libc_does(void **state)
{
    static const char *const texts4[] = { "0.0.0.0",  "10.77.0.41", "255.255.255.255", "256.1.1.1",
                                          "1.2.3",    "1.2.3.4.5",  "1.2.3.",          ".1.2.3",
                                          "1..2.3",   "1.2.3.4 ",   " 1.2.3.4",        "a.b.c.d",
                                          "1.2.3.-4", "",           "1.2.3.4/24",      "+1.2.3.4",
                                          "1.2.3.00", "1.2.3.04" };
    static const char *const texts6[] = {
        "::",
        "::1",
        "1::",
        "fd00::42",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7",
        "1::2::3",
        ":::",
        ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:",
        "12345::",
        "::ffff:10.0.0.1",
        "1:2:3:4:5:6:10.0.0.1",
        "1:2:3:4:5:6:7:10.0.0.1",
        "::10.0.0.1:1",
        "10.0.0.1::",
        "::10.0.0",
        "g::",
        "fe80::1%eth0",
        "",
        ":",
        "::/0",
        "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8",
        "ABCD:ef01::",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts4); i++)
        assert_as_libc(AF_INET, texts4[i]);
    for (size_t i = 0; i < ARRAY_LEN(texts6); i++)
        assert_as_libc(AF_INET6, texts6[i]);
}

static void random_texts_are_judged_as_libc_does(void **state)
{
    static const char letters[] = "0123::::f..1a";
    char text[24];

    (void)state;
    srandom(1);
    for (unsigned int round = 0; round < 300000; round++) {
        size_t len = (size_t)random() % (sizeof(text) - 1);

        for (size_t i = 0; i < len; i++)
            text[i] = letters[(size_t)random() % (sizeof(letters) - 1)];
        text[len] = '\0';
        assert_as_libc(AF_INET6, text);
        assert_as_libc(AF_INET, text);
    }
}

static void prefix_has_the_length_it_says_or_the_whole(void **state)
{
    static const struct {
        const char *text;
        int err;
        bool is_ip6;
        uint8_t len;
    } rows[] = {
        { "10.0.0.1", 0, false, 32 },     { "10.0.0.0/8", 0, false, 8 },
        { "0.0.0.0/0", 0, false, 0 },     { "10.0.0.0/33", -EINVAL, 0, 0 },
        { "fd00::/64", 0, true, 64 },     { "fd00::1", 0, true, 128 },
        { "fd00::1/129", -EINVAL, 0, 0 }, { "::/0", 0, true, 0 },
        { "10.0.0.0/", -EINVAL, 0, 0 },   { "10.0.0.0/08", -EINVAL, 0, 0 },
        { "/8", -EINVAL, 0, 0 },          { "10.0.0.0/8/8", -EINVAL, 0, 0 },
        { "10.0.0.0/ 8", -EINVAL, 0, 0 }, { "", -EINVAL, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t addr[16], len = 99;
        bool is_ip6 = false;

        assert_int_equal(prefix_parse(rows[i].text, strlen(rows[i].text), &is_ip6, addr, &len),
                         rows[i].err);
        assert_int_equal(len, rows[i].err ? 99 : rows[i].len);
        assert_int_equal(is_ip6, rows[i].is_ip6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_bad_texts_are_judged_as_libc_does),
        cmocka_unit_test(random_texts_are_judged_as_libc_does),
        cmocka_unit_test(prefix_has_the_length_it_says_or_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
