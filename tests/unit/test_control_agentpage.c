/* SPDX-License-Identifier: BSD-2-Clause */
/* The status page that a Linux domain shares, and what it may say instead of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <xengnttab.h>

#include "fake_xs.h"
#include "util/log.h"
#include "xen/agentpage.h"

#include <ferry/status.h>

#define NODE "/local/domain/3/data/ferry/status"
#define REFERENCE 77

static struct host host;
static struct agentpage agent;
static union {
    struct ferry_status status;
    uint64_t page[512];
} shared;
static bool can_open;
static int nr_open, nr_mapped, nr_said;
static uint32_t asked;
static char said[512];

static int64_t now_ms = 1000, step_ms = AGENTPAGE_LOOK_MS;

/* Time enough between two looks, but where a test says otherwise. */
int64_t host_ticks_ms(void)
{
    return now_ms += step_ms;
}

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(said, sizeof(said), format, args);
    va_end(args);
    nr_said++;
}

void log_clean(char *text, size_t len)
{
    (void)text;
    (void)len;
}

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
    (void)logger;
    (void)flags;
    nr_open += can_open;
    return can_open ? (xengnttab_handle *)&shared : NULL;
}

int xengnttab_close(xengnttab_handle *grants)
{
    assert_ptr_equal(grants, &shared);
    assert_int_equal(nr_mapped, 0);
    nr_open--;
    return 0;
}

void *xengnttab_map_grant_ref(xengnttab_handle *grants, uint32_t domid, uint32_t reference,
                              int prot)
{
    assert_ptr_equal(grants, &shared);
    assert_int_equal(domid, 3);
    assert_int_equal(prot, PROT_READ);
    asked = reference;
    if (reference != REFERENCE)
        return NULL;
    nr_mapped++;
    return &shared;
}

int xengnttab_unmap(xengnttab_handle *grants, void *page, uint32_t count)
{
    assert_ptr_equal(grants, &shared);
    assert_ptr_equal(page, &shared);
    assert_int_equal(count, 1);
    nr_mapped--;
    return 0;
}

static int setup(void **state)
{
    (void)state;
    host.xs = fake_xs_open();
    memset(&shared, 0, sizeof(shared));
    shared.status.magic = FERRY_STATUS_MAGIC;
    shared.status.version = FERRY_STATUS_VERSION;
    can_open = true;
    nr_said = 0;
    asked = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    agentpage_forget(&agent);
    assert_int_equal(nr_mapped, 0);
    assert_int_equal(nr_open, 0);
    fake_xs_close(host.xs);
    return 0;
}

static const volatile void *map(void)
{
    return agentpage_map(&agent, &host, 3, "domlinux");
}

static void it_is_mapped_when_the_agent_is_up(void **state)
{
    (void)state;
    assert_null(map());
    assert_null(map());
    assert_int_equal(nr_open, 0);
    fake_xs_put(host.xs, NODE, "77");
    assert_ptr_equal(map(), &shared);
    assert_ptr_equal(map(), &shared);
    assert_int_equal(nr_mapped, 1);
    assert_int_equal(nr_said, 0);
}

static void xenstore_is_asked_now_and_then(void **state)
{
    (void)state;
    assert_null(map());
    fake_xs_put(host.xs, NODE, "77");
    step_ms = 0;
    assert_null(map());
    now_ms += AGENTPAGE_LOOK_MS;
    assert_ptr_equal(map(), &shared);
    step_ms = AGENTPAGE_LOOK_MS;
}

static void it_can_be_let_go_and_mapped_again(void **state)
{
    (void)state;
    fake_xs_put(host.xs, NODE, "77");
    assert_non_null(map());
    agentpage_unmap(&agent);
    agentpage_unmap(&agent);
    assert_int_equal(nr_mapped, 0);
    assert_non_null(map());
}

static void refused(const char *value, const char *why)
{
    fake_xs_put(host.xs, NODE, value);
    nr_said = 0;
    assert_null(map());
    assert_null(map());
    assert_int_equal(nr_said, 1);
    assert_non_null(strstr(said, why));
    assert_non_null(strstr(said, "domlinux"));
    assert_int_equal(nr_mapped, 0);
    agentpage_forget(&agent);
}

static void a_lie_is_told_once(void **state)
{
    (void)state;
    refused("", "no number");
    refused("-1", "no number");
    refused("4294967296", "no number");
    refused("77 ", "no number");
    refused("0x4d", "no number");
    refused("99999999999999999999999999999999999999999999", "no number");
    assert_int_equal(asked, 0);
    refused("78", "names a grant that is none");
    refused("4294967295", "names a grant that is none");
    assert_int_equal(asked, UINT32_MAX);
    shared.status.magic++;
    refused("77", "no status page");
    shared.status.magic--;
    shared.status.version++;
    refused("77", "no status page");
}

static void another_domain_is_asked_anew(void **state)
{
    (void)state;
    refused("78", "names a grant that is none");
    fake_xs_put(host.xs, NODE, "77");
    assert_non_null(map());
}

static void without_the_driver_in_dom0_that_is_said(void **state)
{
    (void)state;
    can_open = false;
    refused("77", "modprobe xen-gntdev");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_mapped_when_the_agent_is_up, setup, teardown),
        cmocka_unit_test_setup_teardown(xenstore_is_asked_now_and_then, setup, teardown),
        cmocka_unit_test_setup_teardown(it_can_be_let_go_and_mapped_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lie_is_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(another_domain_is_asked_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(without_the_driver_in_dom0_that_is_said, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
