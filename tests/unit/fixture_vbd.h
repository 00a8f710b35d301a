/* SPDX-License-Identifier: BSD-2-Clause */
/* A vbd of linux-block with a store, a disk, a ring and a queue that are not real. For one test program. */
#ifndef UNIT_FIXTURE_VBD_H
#define UNIT_FIXTURE_VBD_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "block/vbd.h"
#include "fake_xs.h"

#define BACK VBD_DIR "/7/51712"
#define FRONT "/local/domain/7/device/vbd/51712"
#define SECTORS 1000
#define FD 100

static struct xs_handle *store;
static struct vbd_host host;
static struct vbd *vbd;
static int64_t now_ms;
static int disk_err; /* of disk_open() */
static uint64_t disk_identity;
static bool others_have_it;
static int link_err;
static unsigned int nr_links, nr_queues, nr_disks, nr_notified;
static _Alignas(RING_PAGE_SIZE) char page[RING_PAGE_SIZE], other_page[RING_PAGE_SIZE];
static struct blkif_sring *shared; /* what the frontend offers */
static struct queue_job *submitted[RING_SLOTS_MAX], *done;
static unsigned int nr_submitted;

int64_t vbd_now_ms(void)
{
    return now_ms;
}

int disk_open(const char *target, bool is_read_only, struct disk *disk_r, const char **why_r)
{
    assert_string_equal(target, "/dev/vda");
    *why_r = "why";
    if (disk_err)
        return disk_err;
    *disk_r = (struct disk){ .fd = FD,
                             .is_read_only = is_read_only,
                             .nr_sectors = SECTORS,
                             .physical_sector_size = 4096,
                             .identity = disk_identity };
    nr_disks++;
    return 0;
}

void disk_close(struct disk *disk)
{
    nr_disks -= disk->fd >= 0;
    disk->fd = -1;
}

static inline bool may_open(const struct disk *disk, const char **why_r)
{
    (void)disk;
    *why_r = "another guest has it";
    return !others_have_it;
}

int link_open(struct xs_handle *xs, xengnttab_handle *grants, xenevtchn_handle *events,
              uint32_t guest, const char *front, struct link *link_r, char why[LINK_WHY_SIZE])
{
    (void)xs;
    (void)grants;
    (void)events;
    assert_int_equal(guest, 7);
    assert_string_equal(front, FRONT);
    strcpy(why, "its ring cannot be mapped");
    if (link_err)
        return link_err;
    *link_r = (struct link){ .pages = shared, .port = 5 };
    nr_links++;
    return 0;
}

bool link_has_changed(struct xs_handle *xs, const char *front, const struct link *link)
{
    (void)xs;
    assert_string_equal(front, FRONT);
    return link->pages != shared;
}

void link_close(xengnttab_handle *grants, xenevtchn_handle *events, struct link *link)
{
    (void)grants;
    (void)events;
    nr_links -= link->pages != NULL;
    link->pages = NULL;
}

int xenevtchn_notify(xenevtchn_handle *events, evtchn_port_t port)
{
    (void)events;
    assert_int_equal(port, 5);
    nr_notified++;
    return 0;
}

struct queue *queue_make(int fd, uint32_t guest, int done_fd)
{
    (void)guest;
    (void)done_fd;
    assert_int_equal(fd, FD);
    nr_queues++;
    return (struct queue *)page;
}

void queue_submit(struct queue *queue, struct queue_job *job)
{
    (void)queue;
    submitted[nr_submitted++] = job;
}

struct queue_job *queue_take(struct queue *queue)
{
    struct queue_job *job = done;

    (void)queue;
    done = NULL;
    return job;
}

void queue_free(struct queue *queue)
{
    nr_queues -= queue != NULL;
}

static inline void back_is(const char *state)
{
    assert_string_equal(fake_xs_get(store, BACK "/state"), state);
}

static inline void front_says(const char *state)
{
    fake_xs_put(store, FRONT "/state", state);
    vbd_look(vbd);
}

/* The frontend makes another ring. */
static inline void ring_is_fresh(void)
{
    char *now = (char *)shared == page ? other_page : page;

    memset(now, 0, RING_PAGE_SIZE);
    shared = (struct blkif_sring *)now;
    shared->req_event = shared->rsp_event = 1;
    nr_submitted = 0;
}

static inline int setup(void **state)
{
    (void)state;
    store = fake_xs_open();
    host = (struct vbd_host){ .xs = store, .may_open = may_open };
    fake_xs_put(store, BACK "/frontend", FRONT);
    fake_xs_put(store, BACK "/frontend-id", "7");
    fake_xs_put(store, BACK "/online", "1");
    fake_xs_put(store, BACK "/params", "/dev/vda");
    fake_xs_put(store, BACK "/mode", "w");
    fake_xs_put(store, BACK "/type", "phy");
    fake_xs_put(store, BACK "/script", "/etc/xen/scripts/block");
    fake_xs_put(store, BACK "/state", "1");
    fake_xs_put(store, FRONT "/state", "1");
    now_ms = 1000;
    disk_err = link_err = 0;
    disk_identity = 77;
    others_have_it = false;
    nr_links = nr_queues = nr_disks = nr_notified = nr_submitted = 0;
    done = NULL;
    shared = (struct blkif_sring *)other_page;
    ring_is_fresh();
    vbd = vbd_make(&host, 7, 51712);
    assert_non_null(vbd);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    vbd_free(vbd);
    assert_int_equal(nr_links + nr_queues + nr_disks, 0);
    fake_xs_close(store);
    return 0;
}

static inline void ask(uint8_t operation, uint64_t id)
{
    struct blkif_request *request = &shared->ring[shared->req_prod++ % 32].req;

    *request = (struct blkif_request){ .operation = operation,
                                       .nr_segments = operation != BLKIF_OP_FLUSH_DISKCACHE,
                                       .id = id,
                                       .sector_number = id };
    request->seg[0].last_sect = 7;
}

static inline void finish(unsigned int which, int16_t status)
{
    submitted[which]->status = status;
    done = submitted[which];
    vbd_run(vbd);
}

static inline void answers_are(unsigned int nr)
{
    assert_int_equal(shared->rsp_prod, nr);
}

static inline void connect_it(void)
{
    vbd_look(vbd);
    front_says("3");
    back_is("4");
    front_says("4");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
