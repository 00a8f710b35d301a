/* SPDX-License-Identifier: BSD-2-Clause */
/* linux-block's threads, between a file and the pages of a guest, which lie in an array here. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "block/queue.h"

#include <xengnttab.h>

#define PAGES 64
#define GUEST 7
#define FILE_SECTORS 2048

static _Alignas(4096) uint8_t pages[PAGES][4096];
static int fd, done_fd;
static struct queue *queue;

xengnttab_handle *xengnttab_open(struct xentoollog_logger *logger, unsigned int flags)
{
    (void)logger;
    (void)flags;
    return (xengnttab_handle *)pages;
}

int xengnttab_close(xengnttab_handle *grants)
{
    assert_ptr_equal(grants, pages);
    return 0;
}

int xengnttab_grant_copy(xengnttab_handle *grants, uint32_t nr,
                         xengnttab_grant_copy_segment_t *pieces)
{
    (void)grants;
    for (uint32_t i = 0; i < nr; i++) {
        bool to_guest = pieces[i].flags == GNTCOPY_dest_gref;
        const union xengnttab_copy_ptr *guest = to_guest ? &pieces[i].dest : &pieces[i].source;
        void *ours = to_guest ? pieces[i].source.virt : pieces[i].dest.virt;

        if (guest->foreign.ref >= PAGES || guest->foreign.domid != GUEST) {
            pieces[i].status = GNTST_bad_gntref;
            continue;
        }
        if (guest->foreign.offset + pieces[i].len > 4096)
            return -1;
        if (to_guest)
            memcpy(pages[guest->foreign.ref] + guest->foreign.offset, ours, pieces[i].len);
        else
            memcpy(ours, pages[guest->foreign.ref] + guest->foreign.offset, pieces[i].len);
        pieces[i].status = GNTST_okay;
    }
    return 0;
}

static int setup(void **state)
{
    char path[] = "./test_linux_queue.XXXXXX";

    (void)state;
    fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(ftruncate(fd, FILE_SECTORS * 512), 0);
    if (fcntl(fd, F_SETFL, O_DIRECT)) /* not on every file system */
        print_message("without O_DIRECT: %s\n", strerror(errno));
    done_fd = eventfd(0, EFD_NONBLOCK);
    queue = queue_make(fd, GUEST, done_fd);
    assert_non_null(queue);
    for (unsigned int i = 0; i < sizeof(pages); i++)
        pages[i / 4096][i % 4096] = (uint8_t)(i * 2654435761u >> 13);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    queue_free(queue);
    close(done_fd);
    close(fd);
    return 0;
}

static struct queue_job *await(void)
{
    struct queue_job *job;
    uint64_t nr;

    while (!(job = queue_take(queue))) {
        struct pollfd wanted = { .fd = done_fd, .events = POLLIN };

        assert_int_equal(poll(&wanted, 1, 10000), 1);
        assert_int_equal(read(done_fd, &nr, sizeof(nr)), sizeof(nr));
    }
    return job;
}

static int run(struct queue_job *job)
{
    queue_submit(queue, job);
    assert_ptr_equal(await(), job);
    return job->status;
}

static struct queue_job job_of(bool is_write, unsigned int sector, uint32_t first_ref,
                               unsigned int nr, uint8_t first_sect, uint8_t last_sect)
{
    struct queue_job job = {
        .request = { .is_write = is_write, .offset = sector * 512ull, .nr_segments = nr }
    };

    for (unsigned int i = 0; i < nr; i++) {
        job.request.segments[i] = (struct blkif_request_segment){ .gref = first_ref + i,
                                                                  .first_sect = first_sect,
                                                                  .last_sect = last_sect };
        job.request.len += (last_sect - first_sect + 1u) * 512;
    }
    return job;
}

static void what_is_written_is_read(void **state)
{
    struct queue_job write = job_of(true, 16, 0, 11, 0, 7), read = job_of(false, 16, 20, 11, 0, 7);

    (void)state;
    assert_int_equal(run(&write), BLKIF_RSP_OKAY);
    assert_int_equal(run(&read), BLKIF_RSP_OKAY);
    assert_memory_equal(pages[0], pages[20], 11 * 4096);
}

static void parts_of_pages_are_left_alone(void **state)
{
    struct queue_job write = job_of(true, 100, 0, 2, 1, 3), read = job_of(false, 100, 30, 2, 4, 6);
    uint8_t before[4096];

    (void)state;
    memcpy(before, pages[30], sizeof(before));
    assert_int_equal(run(&write), BLKIF_RSP_OKAY);
    assert_int_equal(run(&read), BLKIF_RSP_OKAY);
    for (unsigned int i = 0; i < 2; i++)
        assert_memory_equal(pages[i] + 512, pages[30 + i] + 4 * 512, 3 * 512);
    assert_memory_equal(before, pages[30], 4 * 512);
    assert_memory_equal(before + 7 * 512, pages[30] + 7 * 512, 512);
}

static void wrong_pages_and_places_are_errors(void **state)
{
    struct queue_job foreign = job_of(true, 0, PAGES - 1, 2, 0, 7);
    struct queue_job beyond = job_of(false, FILE_SECTORS - 8, 0, 2, 0, 7);

    (void)state;
    assert_int_equal(run(&foreign), BLKIF_RSP_ERROR);
    assert_int_equal(run(&beyond), BLKIF_RSP_ERROR);
}

static void a_flush_writes_what_comes_with_it(void **state)
{
    struct queue_job flush = { .request = { .is_flush = true, .is_write = true } };
    struct queue_job both = job_of(true, 8, 3, 1, 0, 7), read = job_of(false, 8, 40, 1, 0, 7);

    (void)state;
    both.request.is_flush = true;
    assert_int_equal(run(&flush), BLKIF_RSP_OKAY);
    assert_int_equal(run(&both), BLKIF_RSP_OKAY);
    assert_int_equal(run(&read), BLKIF_RSP_OKAY);
    assert_memory_equal(pages[3], pages[40], 4096);
}

static void many_at_once_all_end(void **state)
{
    static struct queue_job jobs[128];
    bool seen[128] = { false };

    (void)state;
    for (unsigned int i = 0; i < 128; i++) {
        jobs[i] = job_of(true, i * 8, i % PAGES, 1, 0, 7);
        jobs[i].slot = i;
        queue_submit(queue, &jobs[i]);
    }
    for (unsigned int i = 0; i < 128; i++) {
        struct queue_job *job = await();

        assert_int_equal(job->status, BLKIF_RSP_OKAY);
        assert_false(seen[job->slot]);
        seen[job->slot] = true;
    }
    assert_null(queue_take(queue));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(parts_of_pages_are_left_alone),
        TEST(wrong_pages_and_places_are_errors),
        TEST(a_flush_writes_what_comes_with_it),
        TEST(many_at_once_all_end),
    };

    return cmocka_run_group_tests_name("linux_queue", tests, NULL, NULL);
}
