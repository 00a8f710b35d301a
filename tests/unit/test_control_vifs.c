/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0 makes of the vifs of a rebuilt domain, whenever the successor writes its nodes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_xs.h"
#include "xen/domain.h"
#include "xen/vifs.h"

#define BACK "/local/domain/3/backend/vif/7/0"
#define LIMIT_MS 1000
#define REST_MS 200

static struct xs_handle *store;
static const struct journal journal = { .name = "domnet", .domid = 3 };
static int64_t now_ms;
static bool dies;
static unsigned int guest_there = 7;
static int store_errno; /* of a xenstore that does not say which domains there are */
static unsigned int replugs; /* begun */
static unsigned int nr_late; /* of the last vifs_settle() */
static const char *const *script; /* what the successor writes, a step after each read */

int64_t host_ticks_ms(void)
{
    return now_ms;
}

void host_sleep_ms(unsigned int ms)
{
    now_ms += ms;
}

int domain_look(struct host *host, const struct journal *of, struct domain_seen *seen_r)
{
    (void)host;
    (void)of;
    *seen_r = (struct domain_seen){ .exists = !dies, .is_ours = true };
    return 0;
}

bool xs_is_domain_introduced(struct xs_handle *xs, unsigned int domid)
{
    (void)xs;
    errno = store_errno;
    return !store_errno && domid == guest_there;
}

/* libxl is not asked for anything here. */
void libxl_device_nic_init(libxl_device_nic *nic)
{
    (void)nic;
    fail();
}

void libxl_device_nic_dispose(libxl_device_nic *nic)
{
    (void)nic;
    fail();
}

void libxl_device_nic_copy(libxl_ctx *ctx, libxl_device_nic *to, const libxl_device_nic *from)
{
    (void)ctx;
    (void)to;
    (void)from;
    fail();
}

int libxl_device_nic_remove(libxl_ctx *ctx, uint32_t domid, libxl_device_nic *nic,
                            const libxl_asyncop_how *how)
{
    (void)ctx;
    (void)domid;
    (void)nic;
    (void)how;
    return -1;
}

int libxl_device_nic_destroy(libxl_ctx *ctx, uint32_t domid, libxl_device_nic *nic,
                             const libxl_asyncop_how *how)
{
    return libxl_device_nic_remove(ctx, domid, nic, how);
}

int libxl_device_nic_add(libxl_ctx *ctx, uint32_t domid, libxl_device_nic *nic,
                         const libxl_asyncop_how *how)
{
    return libxl_device_nic_remove(ctx, domid, nic, how);
}

libxl_device_nic *libxl_device_nic_list(libxl_ctx *ctx, uint32_t domid, int *nr_r)
{
    (void)ctx;
    (void)domid;
    replugs++;
    *nr_r = 0;
    return NULL;
}

void libxl_device_nic_list_free(libxl_device_nic *list, int nr)
{
    (void)list;
    (void)nr;
}

/* After each read one word of the script: a digit is its state, c says "connected" in hotplug-status. */
static void successor_writes(const char *path)
{
    (void)path;
    if (!*script)
        return;
    for (const char *step = *script++; *step; step++) {
        char value[2] = { *step, '\0' };

        if (*step == 'c')
            fake_xs_put(store, BACK "/hotplug-status", "connected");
        else
            fake_xs_put(store, BACK "/state", value);
    }
}

/* With so many reads before the successor writes for the first time. */
static enum vif_way way_of(const char *const *states, unsigned int reads)
{
    static const char *with_delay[16];
    struct vifs vifs = { .nr = 1, .refs = { { 7, 0, VIF_REBUILT } } };
    struct host host;
    unsigned int nr = 0;
    int err;

    store = fake_xs_open();
    host = (struct host){ .xs = store };
    fake_xs_put(store, BACK "/state", "4");
    while (nr < reads)
        with_delay[nr++] = "4"; /* as it was given */
    while (*states)
        with_delay[nr++] = *states++;
    with_delay[nr] = NULL;
    script = with_delay;
    fake_xs_after_reads(store, successor_writes);
    now_ms = 0;
    err = vifs_settle(&host, &journal, &vifs, LIMIT_MS, REST_MS);
    fake_xs_close(store);
    assert_int_equal(err, dies ? -ECANCELED : 0);
    nr_late = vifs.nr_late;
    return vifs.refs[0].way;
}

/* As domain/vif/job.c writes: its state, then hotplug-status, then what it comes to; in one go or with dom0 in between. */
static void one_that_serves_is_taken(void **state)
{
    static const char *const slow[] = { "2", "c", "4", NULL }, *const fast[] = { "2c", "4", NULL };

    (void)state;
    for (unsigned int reads = 0; reads < 4; reads++) {
        assert_int_equal(way_of(slow, reads), VIF_TAKEN);
        assert_int_equal(way_of(fast, reads), VIF_TAKEN);
    }
}

/* Its state said Connected before the successor had looked at it. */
static void one_whose_ring_makes_no_sense_is_lost(void **state)
{
    static const char *const slow[] = { "2", "c", "5", NULL }, *const fast[] = { "2c", "5", NULL };

    (void)state;
    for (unsigned int reads = 0; reads < 4; reads++) {
        assert_int_equal(way_of(slow, reads), VIF_LOST);
        assert_int_equal(way_of(fast, reads), VIF_LOST);
        assert_int_equal(nr_late, 0);
    }
}

static void one_that_nobody_looks_at_is_lost(void **state)
{
    static const char *const states[] = { NULL };

    (void)state;
    assert_int_equal(way_of(states, 0), VIF_LOST);
    assert_int_equal(nr_late, 1);
    assert_in_range(now_ms, LIMIT_MS, LIMIT_MS + 100);
}

static void a_dead_successor_is_told(void **state)
{
    static const char *const states[] = { NULL };

    (void)state;
    dies = true;
    assert_int_equal(way_of(states, 0), VIF_REBUILT);
    dies = false;
}

/* A guest that was saved or destroyed meanwhile is not waited for, and nobody is told to plug it in again. */
static void one_whose_guest_is_gone_is_not_replugged(void **state)
{
    static const struct {
        unsigned int there;
        bool has_device;
        int store_errno;
        enum vif_way way;
    } rows[] = { { 7, true, 0, VIF_LOST },
                 { 8, true, 0, VIF_GONE },
                 { 7, false, 0, VIF_GONE },
                 { 8, true, EPIPE, VIF_LOST } };

    (void)state;
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vifs vifs = { .nr = 1, .refs = { { 7, 0, VIF_LOST } } };
        struct host host;

        store = fake_xs_open();
        host = (struct host){ .xs = store };
        if (rows[i].has_device)
            fake_xs_put(store, "/libxl/7/device/vif/0/backend", BACK);
        guest_there = rows[i].there;
        store_errno = rows[i].store_errno;
        replugs = 0;
        vifs_replug(&host, &journal, &vifs, 0);
        assert_int_equal(vifs.refs[0].way, rows[i].way);
        assert_int_equal(replugs, rows[i].way == VIF_LOST);
        /* Its nodes cannot be put back either. */
        fake_xs_allow_changes(store, 0);
        vifs_rebuild(&host, 3, VIF_TAKER_FERRY, &vifs);
        assert_int_equal(vifs.refs[0].way, rows[i].way);
        fake_xs_close(store);
    }
    guest_there = 7;
    store_errno = 0;
}

/* What libxl leaves when it does not wait any longer is there for a backend that comes up later. */
static void one_is_plugged_in_once_for_a_backend_that_boots(void **state)
{
    static const char *const late[] = { "1", "1", "1", "2", NULL }, *const never[] = { "1", NULL },
                             *const closes[] = { "1", "1", "5", NULL };
    static const struct {
        const char *const *script;
        unsigned int limit_ms;
        enum vif_way way;
        int64_t waits_ms;
    } rows[] = { { late, LIMIT_MS, VIF_REPLUGGED, 20 },
                 { never, LIMIT_MS, VIF_LOST, LIMIT_MS },
                 { never, 0, VIF_LOST, 0 },
                 { closes, LIMIT_MS, VIF_LOST, 20 } };

    (void)state;
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vifs vifs = { .nr = 1, .refs = { { 7, 0, VIF_LOST } } };
        struct host host;

        store = fake_xs_open();
        host = (struct host){ .xs = store };
        fake_xs_put(store, "/libxl/7/device/vif/0/backend", BACK);
        script = rows[i].script;
        fake_xs_after_reads(store, successor_writes);
        replugs = 0;
        now_ms = 0;
        vifs_replug(&host, &journal, &vifs, rows[i].limit_ms);
        assert_int_equal(vifs.refs[0].way, rows[i].way);
        assert_int_equal(replugs, 1);
        assert_in_range(now_ms, rows[i].waits_ms, rows[i].waits_ms + 60);
        fake_xs_close(store);
    }
}

static void guest_leaves(const char *path)
{
    (void)path;
    guest_there = 8;
}

/* Nobody is told to plug a vif into a guest that ended while its vif was waited for. */
static void one_whose_guest_ends_meanwhile_is_not_waited_for(void **state)
{
    struct vifs vifs = { .nr = 1, .refs = { { 7, 0, VIF_LOST } } };
    struct host host;

    (void)state;
    store = fake_xs_open();
    host = (struct host){ .xs = store };
    fake_xs_put(store, "/libxl/7/device/vif/0/backend", BACK);
    fake_xs_after_reads(store, guest_leaves);
    replugs = 0;
    vifs_replug(&host, &journal, &vifs, LIMIT_MS);
    guest_there = 7;
    assert_int_equal(replugs, 1);
    assert_int_equal(vifs.refs[0].way, VIF_GONE);
    fake_xs_close(store);
}

/* Where one is served the kernel has booted: the others need no more than their scripts. */
static void the_rest_is_waited_for_a_short_while(void **state)
{
    struct vifs vifs = { .nr = 2, .refs = { { 7, 0, VIF_REBUILT }, { 7, 1, VIF_REBUILT } } };
    struct host host;

    (void)state;
    store = fake_xs_open();
    host = (struct host){ .xs = store };
    fake_xs_put(store, BACK "/state", "4");
    fake_xs_put(store, BACK "/hotplug-status", "connected");
    fake_xs_put(store, "/local/domain/3/backend/vif/7/1/state", "2");
    now_ms = 0;
    assert_int_equal(vifs_settle(&host, &journal, &vifs, LIMIT_MS, REST_MS), 0);
    assert_int_equal(vifs.refs[0].way, VIF_TAKEN);
    assert_int_equal(vifs.refs[1].way, VIF_LOST);
    assert_int_equal(vifs.nr_late, 1);
    assert_in_range(now_ms, REST_MS, REST_MS + 60);
    fake_xs_close(store);
}

/* Connected ones are found by each successor in its own way; of the others there is one way. */
static void a_connected_vif_is_put_as_its_taker_finds_it(void **state)
{
    static const struct {
        const char *front, *back;
        enum vif_taker taker;
        enum vif_way way;
    } rows[] = { { "4", "4", VIF_TAKER_FERRY, VIF_REBUILT },
                 { "4", "1", VIF_TAKER_NETBACK, VIF_REBUILT },
                 { "8", "1", VIF_TAKER_NETBACK, VIF_REBUILT },
                 { "3", "1", VIF_TAKER_FERRY, VIF_OFFERED },
                 { "1", "1", VIF_TAKER_NETBACK, VIF_OFFERED } };

    (void)state;
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vifs vifs = { .nr = 1, .refs = { { 7, 0, VIF_UNDONE } } };
        struct host host;

        store = fake_xs_open();
        host = (struct host){ .xs = store };
        fake_xs_put(store, "/libxl/7/device/vif/0/backend", BACK);
        fake_xs_put(store, "/libxl/7/device/vif/0/frontend-id", "7");
        fake_xs_put(store, "/libxl/7/device/vif/0/hotplug-status", "connected");
        fake_xs_put(store, "/local/domain/7/device/vif/0/state", rows[i].front);
        vifs_rebuild(&host, 3, rows[i].taker, &vifs);
        assert_int_equal(vifs.refs[0].way, rows[i].way);
        assert_string_equal(fake_xs_get(store, BACK "/state"), rows[i].back);
        assert_string_equal(fake_xs_last_change(store), BACK "/state");
        assert_null(fake_xs_get(store, BACK "/hotplug-status")); /* else no script would run */
        assert_string_equal(fake_xs_rights(store, "/local/domain/7/device/vif/0/mtu"),
                            rows[i].taker == VIF_TAKER_NETBACK ? "n3,r7" : "");
        assert_string_equal(fake_xs_get(store, "/local/domain/7/device/vif/0/state"),
                            rows[i].front);
        fake_xs_close(store);
    }
}

/* Of a guest that holds still nothing is told by the state. */
static void netback_that_has_offered_nothing_is_not_there(void **state)
{
    struct vifs vifs = { .nr = 2, .refs = { { 7, 0, VIF_TAKEN }, { 7, 1, VIF_LOST } } };
    struct host host;

    (void)state;
    store = fake_xs_open();
    host = (struct host){ .xs = store };
    fake_xs_put(store, BACK "/feature-rx-copy", "1");
    fake_xs_put(store, "/local/domain/3/backend/vif/7/1/state", "1");
    assert_false(vifs_noticed(&host, 3, &vifs)); /* the first one is not lost */
    fake_xs_put(store, "/local/domain/3/backend/vif/7/1/feature-rx-copy", "1");
    assert_true(vifs_noticed(&host, 3, &vifs));
    fake_xs_close(store);
}

/* Initialising, InitWait, the script, Connected. */
static void netback_is_waited_for_until_its_script_has_run(void **state)
{
    static const char *const in_order[] = { "1", "2", "c", "4", NULL },
                             *const never[] = { "1", "2", NULL },
                             *const closes[] = { "1", "5", NULL };

    (void)state;
    assert_int_equal(way_of(in_order, 0), VIF_TAKEN);
    assert_int_equal(way_of(in_order, 3), VIF_TAKEN);
    assert_int_equal(way_of(never, 0), VIF_LOST);
    assert_int_equal(way_of(closes, 0), VIF_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_serves_is_taken),
        cmocka_unit_test(one_whose_ring_makes_no_sense_is_lost),
        cmocka_unit_test(one_that_nobody_looks_at_is_lost),
        cmocka_unit_test(a_dead_successor_is_told),
        cmocka_unit_test(one_whose_guest_is_gone_is_not_replugged),
        cmocka_unit_test(one_is_plugged_in_once_for_a_backend_that_boots),
        cmocka_unit_test(one_whose_guest_ends_meanwhile_is_not_waited_for),
        cmocka_unit_test(the_rest_is_waited_for_a_short_while),
        cmocka_unit_test(a_connected_vif_is_put_as_its_taker_finds_it),
        cmocka_unit_test(netback_that_has_offered_nothing_is_not_there),
        cmocka_unit_test(netback_is_waited_for_until_its_script_has_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
