/* SPDX-License-Identifier: BSD-2-Clause */
/* What dom0 makes of the disks of a rebuilt domain. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_xs.h"
#include "xen/domain.h"
#include "xen/vbds.h"

#define BACK "/local/domain/3/backend/vbd/7/51712"
#define FRONT "/local/domain/7/device/vbd/51712"
#define KEPT "/libxl/7/device/vbd/51712"
#define LIMIT_MS 1000

static struct xs_handle *store;
static struct host host;
static const struct journal journal = { .name = "domblk", .domid = 3 };
static int64_t now_ms;
static bool dies;
static unsigned int guest_there, destroyed;
static const char *next_state; /* what the successor writes while it is waited for; NULL: nothing */

int64_t host_ticks_ms(void)
{
    return now_ms;
}

void host_sleep_ms(unsigned int ms)
{
    now_ms += ms;
    if (next_state)
        fake_xs_put(store, BACK "/state", next_state);
}

int domain_look(struct host *of, const struct journal *which, struct domain_seen *seen_r)
{
    (void)of;
    (void)which;
    *seen_r = (struct domain_seen){ .exists = !dies, .is_ours = true };
    return 0;
}

bool xs_is_domain_introduced(struct xs_handle *xs, unsigned int domid)
{
    (void)xs;
    return domid == guest_there;
}

libxl_device_disk *libxl_device_disk_list(libxl_ctx *ctx, uint32_t domid, int *nr_r)
{
    static libxl_device_disk disks[2];

    (void)ctx;
    assert_int_equal(domid, 7);
    disks[0].vdev = (char *)"xvdb";
    disks[1].vdev = (char *)"xvda";
    *nr_r = 2;
    return disks;
}

void libxl_device_disk_list_free(libxl_device_disk *list, int nr)
{
    (void)list;
    (void)nr;
}

int libxl_device_disk_getinfo(libxl_ctx *ctx, uint32_t domid, const libxl_device_disk *disk,
                              libxl_diskinfo *info_r)
{
    (void)ctx;
    (void)domid;
    info_r->devid = strcmp(disk->vdev, "xvda") == 0 ? 51712 : 51728;
    return 0;
}

void libxl_diskinfo_init(libxl_diskinfo *info)
{
    memset(info, 0, sizeof(*info));
}

void libxl_diskinfo_dispose(libxl_diskinfo *info)
{
    (void)info;
}

int libxl_device_disk_destroy(libxl_ctx *ctx, uint32_t domid, libxl_device_disk *disk,
                              const libxl_asyncop_how *how)
{
    (void)ctx;
    (void)how;
    assert_int_equal(domid, 7);
    assert_string_equal(disk->vdev, "xvda");
    destroyed++;
    return 0;
}

static int setup(void **state)
{
    (void)state;
    store = fake_xs_open();
    host = (struct host){ .xs = store };
    fake_xs_put(store, "/local/domain/3/backend", "");
    fake_xs_put(store, FRONT "/state", "4");
    fake_xs_put(store, FRONT "/ring-ref", "8");
    fake_xs_put(store, KEPT "/backend", BACK);
    fake_xs_put(store, KEPT "/frontend", FRONT);
    fake_xs_put(store, KEPT "/frontend-id", "7");
    fake_xs_put(store, KEPT "/params", "/dev/vda");
    fake_xs_put(store, KEPT "/mode", "w");
    fake_xs_put(store, KEPT "/state", "1");
    fake_xs_put(store, "/libxl/7/device/vbd/51728/backend", "/local/domain/4/backend/vbd/7/51728");
    fake_xs_put(store, "/libxl/8/device/vbd/51712/backend", "/local/domain/3/backend/vbd/8/51712");
    guest_there = 7;
    now_ms = 0;
    dies = false;
    destroyed = 0;
    next_state = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_xs_close(store);
    return 0;
}

static struct vbds found(void)
{
    struct vbds vbds;

    assert_int_equal(vbds_find(&host, 3, &vbds), 0);
    return vbds;
}

static void those_of_this_backend_are_found(void **state)
{
    struct vbds vbds = found();

    (void)state;
    assert_int_equal(vbds.nr, 1);
    assert_int_equal(vbds.refs[0].guest, 7);
    assert_int_equal(vbds.refs[0].handle, 51712);
}

static void no_answer_is_not_no_disk(void **state)
{
    static const char *const paths[] = { "/libxl", "/libxl/7/device/vbd", KEPT "/backend" };
    struct vbds vbds;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        fake_xs_fail_reads(store, paths[i], EIO);
        assert_int_equal(vbds_find(&host, 3, &vbds), -EIO);
        fake_xs_fail_reads(store, paths[i], ENOENT); /* it went while it was looked at */
        assert_int_equal(vbds_find(&host, 3, &vbds), 0);
        assert_int_equal(vbds.nr, 0);
    }
    fake_xs_fail_reads(store, NULL, 0);
    assert_int_equal(found().nr, 1);
}

static void nodes_are_made_anew_and_the_frontend_is_left_alone(void **state)
{
    struct vbds vbds = found();

    (void)state;
    vbds_rebuild(&host, 3, &vbds);
    assert_int_equal(vbds.refs[0].way, VBD_REBUILT);
    assert_string_equal(fake_xs_get(store, BACK "/params"), "/dev/vda");
    assert_string_equal(fake_xs_get(store, BACK "/mode"), "w");
    assert_string_equal(fake_xs_get(store, BACK "/frontend"), FRONT);
    assert_string_equal(fake_xs_get(store, BACK "/online"), "1");
    assert_string_equal(fake_xs_get(store, BACK "/state"), "1");
    assert_string_equal(fake_xs_rights(store, BACK), "n3,r7");
    assert_string_equal(fake_xs_rights(store, FRONT "/ring-ref"), "n7,r3");
    assert_string_equal(fake_xs_get(store, FRONT "/state"), "4");
}

static void each_is_served_or_lost(void **state)
{
    static const struct {
        const char *state;
        enum vbd_way way;
        const char *then; /* its backend's state */
    } rows[] = {
        { "4", VBD_TAKEN, "4" }, { "2", VBD_TAKEN, "2" }, { "5", VBD_LOST, "5" },
        { "6", VBD_LOST, "6" },  { "1", VBD_LOST, "6" }, /* nobody has come */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct vbds vbds = found();

        now_ms = 0;
        next_state = NULL;
        vbds_rebuild(&host, 3, &vbds);
        next_state = rows[i].state;
        assert_int_equal(vbds_settle(&host, &journal, &vbds, LIMIT_MS), 0);
        assert_int_equal(vbds.refs[0].way, rows[i].way);
        assert_string_equal(fake_xs_get(store, BACK "/state"), rows[i].then);
    }
}

static void nobody_waits_for_a_dead_domain(void **state)
{
    struct vbds vbds = found();

    (void)state;
    vbds_rebuild(&host, 3, &vbds);
    dies = true;
    assert_int_equal(vbds_settle(&host, &journal, &vbds, LIMIT_MS), -ECANCELED);
}

static void one_that_cannot_be_taken_over_is_closed(void **state)
{
    struct vbds vbds = found();

    (void)state;
    vbds_give_up(&host, 3, &vbds, "why");
    assert_int_equal(vbds.refs[0].way, VBD_LOST);
    assert_string_equal(fake_xs_get(store, BACK "/state"), "6");
    assert_int_equal(destroyed, 0);
}

static void with_another_id_the_guest_loses_its_device(void **state)
{
    struct vbds vbds = found();

    (void)state;
    vbds_give_up(&host, JOURNAL_NO_DOMID, &vbds, "why");
    assert_int_equal(destroyed, 1);
    assert_null(fake_xs_get(store, BACK "/state"));
}

static void a_guest_that_is_gone_has_lost_nothing(void **state)
{
    struct vbds vbds = found();

    (void)state;
    guest_there = 99;
    vbds_give_up(&host, 3, &vbds, "why");
    assert_int_equal(vbds.refs[0].way, VBD_GONE);
    assert_null(fake_xs_get(store, BACK "/state"));
}

static void the_word_is_found_whole(void **state)
{
    (void)state;
    assert_true(vbds_words_serve("console=hvc0 ferry.disks"));
    assert_true(vbds_words_serve("ferry.disks quiet"));
    assert_true(vbds_words_serve("  ferry.disks  "));
    assert_false(vbds_words_serve("ferry.diskss"));
    assert_false(vbds_words_serve("x.ferry.disks ferry.disk"));
    assert_false(vbds_words_serve(""));
    assert_false(vbds_words_serve(NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(those_of_this_backend_are_found),
        TEST(no_answer_is_not_no_disk),
        TEST(nodes_are_made_anew_and_the_frontend_is_left_alone),
        TEST(each_is_served_or_lost),
        TEST(nobody_waits_for_a_dead_domain),
        TEST(one_that_cannot_be_taken_over_is_closed),
        TEST(with_another_id_the_guest_loses_its_device),
        TEST(a_guest_that_is_gone_has_lost_nothing),
        TEST(the_word_is_found_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
