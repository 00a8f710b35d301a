/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstored's end is seen at once, and nothing else is taken for it. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "xen/storelink.h"

static char dir[] = "/tmp/ferry-test-XXXXXX";
static char path[64];

const char *xs_daemon_socket(void)
{
    return path;
}

static int listen_at(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static int is_ready(int fd)
{
    struct pollfd at = { .fd = fd, .events = POLLIN };

    return poll(&at, 1, 0);
}

static void its_end_is_seen(void **state)
{
    int listener = listen_at(), fd = storelink_open(NULL), its = accept(listener, NULL, NULL);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(is_ready(fd), 0);
    assert_false(storelink_is_lost(fd));
    close(its);
    assert_int_equal(is_ready(fd), 1);
    assert_true(storelink_is_lost(fd));
    close(fd);
    close(listener);
}

/* It is killed with the connection still in its queue. */
static void so_is_that_of_one_that_had_not_come_to_it(void **state)
{
    int listener = listen_at(), fd = storelink_open(NULL);

    (void)state;
    assert_true(fd >= 0);
    assert_false(storelink_is_lost(fd));
    close(listener);
    assert_int_equal(is_ready(fd), 1);
    assert_true(storelink_is_lost(fd));
    close(fd);
}

static void what_it_says_is_no_end(void **state)
{
    int listener = listen_at(), fd = storelink_open(NULL), its = accept(listener, NULL, NULL);
    static const char bytes[300];

    (void)state;
    assert_int_equal(write(its, bytes, sizeof(bytes)), sizeof(bytes));
    assert_false(storelink_is_lost(fd));
    assert_false(storelink_is_lost(fd));
    assert_int_equal(is_ready(fd), 0); /* or ferryd would never rest */
    close(its);
    close(fd);
    close(listener);
}

static void one_that_has_died_does_not_answer(void **state)
{
    (void)state;
    close(listen_at());
    assert_int_equal(storelink_open(NULL), -ECONNREFUSED);
    unlink(path);
    assert_int_equal(storelink_open(NULL), -ENOENT);
}

/* Somebody who does not take connections holds nobody up. */
static void one_that_hangs_is_not_waited_for(void **state)
{
    int listener = listen_at(), fds[64], nr = 0;

    (void)state;
    while (nr < 64 && (fds[nr] = storelink_open(NULL)) >= 0)
        nr++;
    assert_true(nr < 64);
    assert_int_equal(fds[nr], -EAGAIN);
    while (nr--)
        close(fds[nr]);
    close(listener);
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/socket", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_end_is_seen),
        cmocka_unit_test(so_is_that_of_one_that_had_not_come_to_it),
        cmocka_unit_test(what_it_says_is_no_end),
        cmocka_unit_test(one_that_has_died_does_not_answer),
        cmocka_unit_test(one_that_hangs_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
