/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0's network was, written down and read back; whose guard says that it is abandoned. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/dom0_record.h"
#include "journal/journal.h"
#include "journal/unfinished.h"

static char directory[] = "/tmp/ferry-dom0-XXXXXX";

/* Of dom0_keep.c, which runs programs. */
void dom0_keep_dispose(struct dom0_keep *keep)
{
    free(keep->routes);
    free(keep->ipv6_routes);
    keep->routes = keep->ipv6_routes = NULL;
}

static void address_add(struct dom0_interface *nic, const char *text)
{
    assert_int_equal(dom0_net_address_parse(text, &nic->addresses[nic->nr_addresses]), 0);
    nic->nr_addresses++;
}

static struct dom0_record record_full(void)
{
    struct dom0_record record = { .what = DOM0_SETUP,
                                  .config = strdup("name = \"domnet\"\n# \"\\\n") };
    struct dom0_keep *keep = &record.keep;

    strcpy(record.boot, journal_boot());
    assert_int_equal(bdf_parse("0000:03:00.1", &record.bdf), 0);
    assert_null(dom0_vif_parse("mac=52:54:00:aa:bb:0c,bridge=xenbr0", &record.vif));
    strcpy(keep->net.nic.name, "enp3s0");
    strcpy(keep->net.bridge.name, "br0");
    strcpy(keep->mtu, "1500");
    strcpy(keep->mac, "52:54:00:aa:bb:0c");
    strcpy(keep->driver, "e1000e");
    keep->index = 7;
    keep->net.nic.up = true;
    address_add(&keep->net.nic, "192.0.2.5/24");
    address_add(&keep->net.nic, "2001:db8::5/64");
    address_add(&keep->net.nic, "fe80::5/64");
    keep->routes = strdup("default via 192.0.2.1 dev enp3s0 proto static metric 100 \n"
                          "192.0.2.0/24 dev enp3s0 proto kernel scope link src 192.0.2.5 linkdown\n"
                          "192.0.2.7 via inet6 fe80::1 dev enp3s0\n"
                          "unreachable 198.51.100.0/24 dev enp3s0 table 7\n"
                          "10.0.0.0/8 via 10.1.1.1 dev other\n"
                          "local 192.0.2.5 dev enp3s0 table local proto kernel\n");
    keep->ipv6_routes = strdup("2001:db8::/64 dev enp3s0 proto kernel metric 256 pref medium\n"
                               "default via fe80::1 dev enp3s0 metric 1024 pref medium\n"
                               "fe80::/64 dev enp3s0 proto kernel metric 256 pref medium\n");
    return record;
}

static void expect_same(const struct dom0_record *after)
{
    const struct dom0_keep *keep = &after->keep;

    assert_int_equal(after->what, DOM0_SETUP);
    assert_string_equal(after->boot, journal_boot());
    assert_int_equal(after->bdf.func, 1);
    assert_string_equal(after->vif.bridge, "xenbr0");
    assert_memory_equal(after->vif.mac, "\x52\x54\x00\xaa\xbb\x0c", 6);
    assert_string_equal(after->config, "name = \"domnet\"\n# \"\\\n");
    assert_string_equal(keep->net.nic.name, "enp3s0");
    assert_string_equal(keep->net.bridge.name, "br0");
    assert_string_equal(keep->mtu, "1500");
    assert_string_equal(keep->mac, "52:54:00:aa:bb:0c");
    assert_string_equal(keep->driver, "e1000e");
    assert_int_equal(keep->index, 7);
    assert_true(keep->net.nic.up);
    assert_int_equal(keep->net.nic.nr_addresses, 2); /* without the link's own */
    assert_string_equal(keep->net.nic.addresses[0].text, "192.0.2.5/24");
    assert_false(keep->net.nic.addresses[0].is_ipv6);
    assert_string_equal(keep->net.nic.addresses[1].text, "2001:db8::5/64");
    assert_true(keep->net.nic.addresses[1].is_ipv6);
    assert_string_equal(keep->routes,
                        "default via 192.0.2.1 dev enp3s0 proto static metric 100\n"
                        "192.0.2.0/24 dev enp3s0 proto kernel scope link src 192.0.2.5\n"
                        "192.0.2.7 via inet6 fe80::1 dev enp3s0\n"
                        "unreachable 198.51.100.0/24 dev enp3s0 table 7\n");
    assert_string_equal(keep->ipv6_routes,
                        "2001:db8::/64 dev enp3s0 proto kernel metric 256 pref medium\n"
                        "default via fe80::1 dev enp3s0 metric 1024 pref medium\n");
}

static void it_is_read_as_it_was_written(void **state)
{
    struct dom0_record before = record_full(), after, again;
    char *text = dom0_record_encode(&before), *twice;

    (void)state;
    assert_non_null(text);
    assert_int_equal(dom0_record_decode(text, &after), 0);
    expect_same(&after);
    twice = dom0_record_encode(&after);
    assert_string_equal(text, twice);
    assert_int_equal(dom0_record_decode(twice, &again), 0);
    dom0_record_dispose(&again);
    dom0_record_dispose(&after);
    dom0_record_dispose(&before);
    free(text);
    free(twice);
}

/* A card that dom0 had no driver on. */
static void an_empty_one_is_read_too(void **state)
{
    struct dom0_record before = { .what = DOM0_STOP }, after;
    char *text = dom0_record_encode(&before);

    (void)state;
    assert_int_equal(dom0_record_decode(text, &after), 0);
    assert_int_equal(after.what, DOM0_STOP);
    assert_string_equal(after.keep.net.nic.name, "");
    assert_string_equal(after.vif.bridge, "");
    assert_null(after.config);
    assert_string_equal(after.keep.routes, "");
    dom0_record_dispose(&after);
    free(text);
}

/* The file ends somewhere; nothing of it is taken then. */
static void each_truncation_is_refused(void **state)
{
    struct dom0_record before = record_full(), after;
    char *text = dom0_record_encode(&before);
    size_t len = strlen(text);

    (void)state;
    assert_int_equal(text[len - 1], '\n');
    for (size_t i = 0; i < len - 1; i++) {
        char *cut = strndup(text, i);

        if (dom0_record_decode(cut, &after) != -EINVAL)
            fail_msg("taken without its last %zu bytes", len - i);
        free(cut);
    }
    dom0_record_dispose(&before);
    free(text);
}

/* Each byte becomes others: refused, or what is read is what would be written. */
static void each_changed_byte_is_refused_or_makes_sense(void **state)
{
    static const char others[] = { '\0', ' ', '"',  '-', '/',    '0',
                                   '9',  ';', '\\', 'x', '\177', (char)0xff };
    struct dom0_record before = record_full(), after;
    char *text = dom0_record_encode(&before);
    unsigned int nr_taken = 0, nr_refused = 0;

    (void)state;
    for (size_t i = 0; text[i]; i++) {
        for (size_t k = 0; k < sizeof(others); k++) {
            char was = text[i], *again;

            text[i] = others[k];
            if (dom0_record_decode(text, &after) == 0) {
                struct dom0_record twice;

                again = dom0_record_encode(&after);
                assert_int_equal(dom0_record_decode(again, &twice), 0);
                dom0_record_dispose(&twice);
                dom0_record_dispose(&after);
                free(again);
                nr_taken++;
            } else {
                nr_refused++;
            }
            text[i] = was;
        }
    }
    assert_true(nr_taken > 100 && nr_refused > 1000);
    dom0_record_dispose(&before);
    free(text);
}

/* In the whole text, once. */
static char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *out;

    assert_non_null(at);
    assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
    return out;
}

static void what_ip_would_take_for_something_else_is_refused(void **state)
{
    static const struct {
        const char *from, *to;
    } wrong[] = {
        { "\"setup\"", "\"reboot\"" },
        { "0000:03:00.1", "0000:03:00.9" },
        { "\"enp3s0\"", "\"../../enp3s0\"" },
        { "\"enp3s0\"", "\"enp3s0 up\"" },
        { "\"enp3s0\"", "\"sixteen-letters-\"" },
        { "\"br0\"", "\"br0/x\"" },
        { "\"br0\"", "7" },
        { "\"1500\"", "\"15OO\"" },
        { "\"1500\"", "\"-1\"" },
        { "\"1500\"", "\"0\"" },
        { "\"52:54:00:aa:bb:0c\"", "\"52:54:00:aa:bb\"" },
        { "\"52:54:00:aa:bb:0c\"", "\"52:54:00:aa:bb:0c up\"" },
        { "\"e1000e\"", "\"../e1000e\"" },
        { "\"index\": 7", "\"index\": -1" },
        { "\"index\": 7", "\"index\": 4294967296" },
        { "\"up\": true", "\"up\": 1" },
        { "192.0.2.5/24", "192.0.2.5" },
        { "192.0.2.5/24", "192.0.2.5/33" },
        { "192.0.2.5/24", "192.0.2.5/024" },
        { "192.0.2.5/24", "192.0.2.256/24" },
        { "192.0.2.5/24", "192.0.2.5/24 dev lo" },
        { "192.0.2.5/24", "-batch" },
        { "2001:db8::5/64", "2001:db8::5/129" },
        { "2001:db8::5/64", "2001:db8:::5/64" },
        { "default via 192.0.2.1 dev", "-force via 192.0.2.1 dev" },
        { "default via 192.0.2.1 dev", "default via 192.0.2 dev" },
        { "default via 192.0.2.1 dev", "default via fe80::1 dev" },
        { "default via 192.0.2.1 dev enp3s0", "default via 192.0.2.1 dev eth7" },
        { "default via 192.0.2.1 dev", "default via" },
        { "default via 192.0.2.1 dev", "nowhere via 192.0.2.1 dev" },
        { "src 192.0.2.5", "src 192.0.2.5;reboot" },
        { "src 192.0.2.5", "src" },
        { "proto static", "proto static\\nx" },
        { "proto static", "-family" },
        { "proto static", "$(reboot)" },
        { "mac=52:54:00:aa:bb:0c", "mac=53:54:00:aa:bb:0c" },
        { "\"routes\"", "\"paths\"" },
        { "\"addresses\"", "\"address\"" },
    };
    struct dom0_record before = record_full(), after;
    char *text = dom0_record_encode(&before);

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char *changed = replaced(text, wrong[i].from, wrong[i].to);

        if (dom0_record_decode(changed, &after) != -EINVAL)
            fail_msg("taken: %s", wrong[i].to);
        free(changed);
    }
    dom0_record_dispose(&before);
    free(text);
}

static void what_could_not_be_read_back_is_not_written(void **state)
{
    struct dom0_record record = record_full();

    (void)state;
    strcpy(record.keep.net.nic.name, "en\001s0");
    assert_int_equal(dom0_record_save("domnet", &record), -EOPNOTSUPP);
    assert_false(unfinished_is_there("domnet"));
    dom0_record_dispose(&record);
}

static void one_of_another_boot_is_none(void **state)
{
    struct dom0_record record = record_full(), after;
    char path[FILES_PATH_SIZE], *text, *other;

    (void)state;
    assert_int_equal(dom0_record_load("domnet", &after), -ENOENT);
    assert_int_equal(dom0_record_save("domnet", &record), 0);
    assert_int_equal(dom0_record_load("domnet", &after), 0);
    expect_same(&after);
    dom0_record_dispose(&after);

    unfinished_path("domnet", path);
    assert_int_equal(files_read(path, 100000, &text, NULL), 0);
    other = replaced(text, journal_boot(), "00000000-0000-4000-8000-000000000000");
    assert_int_equal(files_write(path, other, strlen(other)), 0);
    assert_int_equal(dom0_record_load("domnet", &after), -ENOENT);
    assert_false(unfinished_is_there("domnet"));
    free(other);
    free(text);

    assert_int_equal(files_write(path, "{", 1), 0);
    assert_int_equal(dom0_record_load("domnet", &after), -EINVAL);
    assert_true(unfinished_is_there("domnet")); /* somebody has to look at it */
    dom0_record_remove("domnet");
    assert_false(unfinished_is_there("domnet"));
    dom0_record_dispose(&record);
}

static void name_take(void *ctx, const char *name)
{
    strcat(ctx, name);
    strcat(ctx, " ");
}

/* The kernel gives the guard back when its holder is killed. */
static void a_killed_holder_leaves_it_abandoned(void **state)
{
    struct dom0_record record = { .what = DOM0_STOP };
    char names[128] = "", byte;
    int fds[2];
    pid_t pid;

    (void)state;
    assert_false(unfinished_is_abandoned("domnet"));
    assert_int_equal(dom0_record_save("domnet", &record), 0);
    assert_true(unfinished_is_abandoned("domnet"));
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        byte = unfinished_guard("domnet") >= 0;
        if (write(fds[1], &byte, 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    assert_int_equal(byte, 1);
    assert_int_equal(unfinished_guard("domnet"), -EAGAIN);
    assert_false(unfinished_is_abandoned("domnet"));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(unfinished_is_abandoned("domnet"));
    unfinished_each(name_take, names);
    assert_string_equal(names, "domnet ");
    dom0_record_remove("domnet");
    assert_false(unfinished_is_abandoned("domnet"));
    close(fds[0]);
    close(fds[1]);
}

static int directory_make(void **state)
{
    (void)state;
    return !mkdtemp(directory) || setenv("FERRY_RUN_DIR", directory, 1);
}

static int directory_remove(void **state)
{
    char path[FILES_PATH_SIZE];

    (void)state;
    snprintf(path, sizeof(path), "%s/.domnet.dom0.lock", directory);
    unlink(path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_read_as_it_was_written),
        cmocka_unit_test(an_empty_one_is_read_too),
        cmocka_unit_test(each_truncation_is_refused),
        cmocka_unit_test(each_changed_byte_is_refused_or_makes_sense),
        cmocka_unit_test(what_ip_would_take_for_something_else_is_refused),
        cmocka_unit_test(what_could_not_be_read_back_is_not_written),
        cmocka_unit_test(one_of_another_boot_is_none),
        cmocka_unit_test(a_killed_holder_leaves_it_abandoned),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
