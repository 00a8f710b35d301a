/* SPDX-License-Identifier: BSD-2-Clause */
/* The decisions of the handshake, over every combination of facts; and the parsers of nodes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <xen/io/xenbus.h>

#include "vif/handshake.h"
#include "vif/nodes.h"

typedef void check_fn(const struct handshake_facts *f, enum handshake_action action);

static void for_all_facts(check_fn *check)
{
    struct handshake_facts f;

    for (f.phase = VIF_PHASE_NEW; f.phase <= VIF_PHASE_CLOSED; f.phase++)
        for (f.front_state = -1; f.front_state <= 8; f.front_state++)
            for (f.back_state = -1; f.back_state <= 8; f.back_state++)
                for (unsigned int bits = 0; bits < 16; bits++) {
                    f.has_online = bits & 1;
                    f.online = bits & 2 && f.has_online;
                    f.dwelt = bits & 4;
                    f.patient = bits & 8;
                    check(&f, handshake_next(&f));
                }
}

static bool front_is_up(const struct handshake_facts *f)
{
    return f->front_state == XenbusStateInitialised || f->front_state == XenbusStateConnected ||
           f->front_state == XenbusStateReconfiguring;
}

static void check_connect(const struct handshake_facts *f, enum handshake_action action)
{
    if (action == HANDSHAKE_CONNECT)
        assert_true(f->phase == VIF_PHASE_WAITING && front_is_up(f) && f->online && f->dwelt);
}

static void connects_only_offered_vifs_to_ready_frontends(void **state)
{
    (void)state;
    for_all_facts(check_connect);
}

static void check_no_end(const struct handshake_facts *f, enum handshake_action action)
{
    if (f->online && front_is_up(f))
        assert_true(action != HANDSHAKE_CLOSE && action != HANDSHAKE_SHUT &&
                    action != HANDSHAKE_FAIL && action != HANDSHAKE_REMOVE);
}

static void frontend_in_use_is_never_shown_an_end(void **state)
{
    (void)state;
    for_all_facts(check_no_end);
}

static void check_remove(const struct handshake_facts *f, enum handshake_action action)
{
    if (action == HANDSHAKE_REMOVE && f->has_online)
        assert_true(!f->online && f->back_state == XenbusStateClosed && f->dwelt);
    if (action == HANDSHAKE_FORGET)
        assert_false(f->has_online);
}

static void removes_only_what_the_toolstack_gave_up(void **state)
{
    (void)state;
    for_all_facts(check_remove);
}

/* Without the frontend's help, a removal comes to its end. */
static void check_leave(const struct handshake_facts *f, enum handshake_action action)
{
    if (f->has_online && !f->online && !f->patient && f->dwelt)
        assert_true(action == HANDSHAKE_SHUT || action == HANDSHAKE_REMOVE);
}

static void removal_always_ends(void **state)
{
    (void)state;
    for_all_facts(check_leave);
}

static void check_refused(const struct handshake_facts *f, enum handshake_action action)
{
    if (f->phase == VIF_PHASE_REFUSED && f->online)
        assert_int_equal(action, HANDSHAKE_NONE);
    if (f->phase == VIF_PHASE_NEW && f->online)
        assert_int_equal(action, HANDSHAKE_OFFER);
}

static void refused_vif_rests_until_removed(void **state)
{
    (void)state;
    for_all_facts(check_refused);
}

static int take(const struct node_spec *specs, unsigned int nr, const char *name, void *out,
                const char *value, size_t len)
{
    char why[100];

    for (unsigned int i = 0; i < nr; i++)
        if (!strcmp(specs[i].name, name))
            return node_take(&specs[i], out, 0, value, len, why, sizeof(why));
    fail();
    return 0;
}

static int take_back(struct vif_back *back, const char *name, const char *value)
{
    return take(nodes_back, nodes_back_nr, name, back, value, strlen(value));
}

static void good_backend_nodes_are_taken(void **state)
{
    struct vif_back back;

    (void)state;
    nodes_back_init(&back);
    assert_int_equal(back.wish.mtu, 0); /* as the bridge has it */
    assert_int_equal(take_back(&back, "mac", "00:16:3E:aB:09:ff"), 0);
    assert_memory_equal(back.wish.mac.addr_bytes, "\x00\x16\x3e\xab\x09\xff", 6);
    assert_int_equal(take_back(&back, "mtu", "9000"), 0);
    assert_int_equal(back.wish.mtu, 9000);
    assert_int_equal(take_back(&back, "rate", "10000000000,50000"), 0);
    assert_true(back.wish.rate.bytes == 10000000000ull);
    assert_int_equal(back.wish.rate.interval_us, 50000);
    assert_int_equal(take_back(&back, "bridge", "xenbr0.100:200"), 0);
    assert_string_equal(back.wish.bridge, "xenbr0.100:200");
    assert_int_equal(take_back(&back, "frontend-id", "32751"), 0);
    assert_int_equal(take_back(&back, "handle", "3"), 0);
    assert_int_equal(take_back(&back, "type", "vif_ioemu"), 0);
    assert_int_equal(take_back(&back, "gatewaydev", "xenbr0"), 0);
    assert_string_equal(back.wish.gatewaydev, "xenbr0");
}

static void bad_backend_nodes_are_refused(void **state)
{
    static const char *const rows[][2] = {
        { "mac", "" },
        { "mac", "00:16:3e:ab:09" },
        { "mac", "00:16:3e:ab:09:fg" },
        { "mac", "00-16-3e-ab-09-ff" },
        { "mac", "00:16:3e:ab:09:ff:" },
        { "mac", "01:16:3e:ab:09:ff" },
        { "mac", "00:00:00:00:00:00" },
        { "mac", "ff:ff:ff:ff:ff:ff" },
        { "mtu", "67" },
        { "mtu", "65501" },
        { "mtu", "1500 " },
        { "mtu", "0x5dc" },
        { "rate", "100" },
        { "rate", ",5" },
        { "rate", "5," },
        { "rate", "5,0" },
        { "rate", "99999999999999999999999,5" },
        { "rate", "5,5,5" },
        { "rate", "-5,5" },
        { "rate", "0,50000" },
        { "handle", "65536" },
        { "handle", "" },
        { "type", "tap" },
        { "gatewaydev", "a-name-of-16-let" },
        { "script", "/etc/xen/scripts/a-name-of-32-letters-aaaaaaaaaaa" },
        { "script", "/etc/xen\n/vif-bridge\n" },
        { "script", "/etc/xen/scripts/" },
        { "script", "vif-bridge/" },
        { "bridge", "xen\nbr0" },
        { "bridge", "\xff" },
        { "frontend-id", "32752" },
        { "frontend-id", "-1" },
    };
    struct vif_back back, before;

    (void)state;
    nodes_back_init(&back);
    before = back;
    for (unsigned int i = 0; i < ARRAY_LEN(rows); i++)
        if (take_back(&back, rows[i][0], rows[i][1]) != -EINVAL)
            fail_msg("%s '%s' was taken", rows[i][0], rows[i][1]);
    assert_memory_equal(&back, &before, sizeof(back));
}

static void text_with_a_nul_inside_or_too_long_is_refused(void **state)
{
    char text[VIF_NODE_SIZE + 1];
    struct vif_back back;

    (void)state;
    nodes_back_init(&back);
    assert_int_equal(take(nodes_back, nodes_back_nr, "bridge", &back, "xen\0br0", 7), -EINVAL);
    assert_int_equal(take(nodes_back, nodes_back_nr, "mtu", &back, "1500\0x", 6), -EINVAL);
    memset(text, 'a', sizeof(text));
    text[VIF_NODE_SIZE - 1] = '\0';
    assert_int_equal(take_back(&back, "bridge", text), 0);
    text[VIF_NODE_SIZE - 1] = 'a';
    text[VIF_NODE_SIZE] = '\0';
    assert_int_equal(take_back(&back, "bridge", text), -EINVAL);
}

static void sentence_about_a_bad_value_is_printable_and_short(void **state)
{
    char value[4000], why[VIF_WHY_SIZE];
    struct vif_back back;

    (void)state;
    for (unsigned int i = 0; i < sizeof(value); i++)
        value[i] = (char)(i * 31 + 1);
    value[sizeof(value) - 1] = '\0';
    for (unsigned int i = 0; i < nodes_back_nr; i++) {
        assert_int_equal(
            node_take(&nodes_back[i], &back, 0, value, sizeof(value) - 1, why, sizeof(why)),
            -EINVAL);
        for (const char *p = why; *p; p++)
            assert_in_range(*p, ' ', '~');
        assert_true(strlen(why) < VIF_WHY_SIZE - 1); /* not cut */
        assert_non_null(strstr(why, nodes_back[i].name));
        assert_true(!nodes_back[i].accepted || strstr(why, nodes_back[i].accepted));
    }
}

static void script_is_known_by_its_name_whatever_its_path(void **state)
{
    char path[3000];
    struct vif_back back;

    (void)state;
    nodes_back_init(&back);
    assert_int_equal(take_back(&back, "script", "vif-nat"), 0);
    assert_string_equal(back.wish.script, "vif-nat");
    memset(path, '/', sizeof(path));
    strcpy(path + sizeof(path) - sizeof("vif-route"), "vif-route");
    assert_int_equal(take_back(&back, "script", path), 0);
    assert_string_equal(back.wish.script, "vif-route");
}

static int known(const char *names, size_t len)
{
    char why[VIF_WHY_SIZE] = "";
    int err = nodes_back_known(names, len, why, sizeof(why));

    assert_int_equal(err != 0, why[0] != '\0');
    assert_true(strlen(why) < VIF_WHY_SIZE - 1);
    return err;
}

static void names_that_nobody_honours_are_refused(void **state)
{
    static const char all[] =
        "frontend\0frontend-id\0online\0state\0script\0vifname\0mac\0ip\0gatewaydev\0rate\0mtu\0"
        "vlan\0bridge\0handle\0type\0hotplug-status\0feature-sg";
    char name[200];

    (void)state;
    assert_int_equal(known(all, sizeof(all)), 0);
    assert_int_equal(known("", 0), 0);
    assert_int_equal(known("mac\0colo_checkpoint_port", 25), -EOPNOTSUPP);
    assert_int_equal(known("Mac", 4), -EOPNOTSUPP);
    assert_int_equal(known("featur", 7), -EOPNOTSUPP);
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(known(name, sizeof(name)), -EOPNOTSUPP);
}

static void state_values_are_parsed_strictly(void **state)
{
    (void)state;
    assert_int_equal(nodes_state_parse("4", 1), 4);
    assert_int_equal(nodes_state_parse("8", 1), 8);
    assert_int_equal(nodes_state_parse("9", 1), HANDSHAKE_STATE_GARBAGE);
    assert_int_equal(nodes_state_parse("", 0), HANDSHAKE_STATE_GARBAGE);
    assert_int_equal(nodes_state_parse("-1", 2), HANDSHAKE_STATE_GARBAGE);
    assert_int_equal(nodes_state_parse("4\0004", 3), HANDSHAKE_STATE_GARBAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_only_offered_vifs_to_ready_frontends),
        cmocka_unit_test(frontend_in_use_is_never_shown_an_end),
        cmocka_unit_test(removes_only_what_the_toolstack_gave_up),
        cmocka_unit_test(removal_always_ends),
        cmocka_unit_test(refused_vif_rests_until_removed),
        cmocka_unit_test(good_backend_nodes_are_taken),
        cmocka_unit_test(bad_backend_nodes_are_refused),
        cmocka_unit_test(text_with_a_nul_inside_or_too_long_is_refused),
        cmocka_unit_test(sentence_about_a_bad_value_is_printable_and_short),
        cmocka_unit_test(script_is_known_by_its_name_whatever_its_path),
        cmocka_unit_test(names_that_nobody_honours_are_refused),
        cmocka_unit_test(state_values_are_parsed_strictly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
