/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is left of an operating system: one thread, a clock, no files. A mutex taken twice is a
 * mistake that would hang a real system; here it ends the domain.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libc/libc.h"

#define NS_PER_S 1000000000ull

int __isoc99_sscanf(const char *text, const char *fmt, ...);

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
    (void)attr;
    memset(mutex, 0, sizeof(*mutex));
    return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    return mutex->__data.__lock ? EBUSY : 0;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (mutex->__data.__lock)
        return EBUSY;
    mutex->__data.__lock = 1;
    return 0;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (pthread_mutex_trylock(mutex) != 0)
        libc_host_die("a mutex was taken twice");
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (!mutex->__data.__lock)
        libc_host_die("a mutex was given back without being held");
    mutex->__data.__lock = 0;
    return 0;
}

int pthread_mutexattr_init(pthread_mutexattr_t *attr)
{
    memset(attr, 0, sizeof(*attr));
    return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attr)
{
    (void)attr;
    return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared)
{
    (void)attr;
    (void)shared;
    return 0;
}

int pthread_mutexattr_setrobust(pthread_mutexattr_t *attr, int robust)
{
    (void)attr;
    (void)robust;
    return 0;
}

pthread_t pthread_self(void)
{
    return 1;
}

/* No thread is ever made (rte_ctrl_thread_create() refuses), so there is none to wait for. */
int pthread_join(pthread_t thread, void **value)
{
    (void)thread;
    (void)value;
    return ESRCH;
}

int pthread_detach(pthread_t thread)
{
    (void)thread;
    return ESRCH;
}

pid_t getpid(void)
{
    return 1;
}

static void to_timespec(struct timespec *ts, uint64_t ns)
{
    ts->tv_sec = (time_t)(ns / NS_PER_S);
    ts->tv_nsec = (long)(ns % NS_PER_S);
}

/* Every clock is the monotonic one: the domain has no need of the time of day. */
int clock_gettime(clockid_t clock, struct timespec *ts)
{
    (void)clock;
    to_timespec(ts, libc_host_now());
    return 0;
}

time_t time(time_t *now)
{
    time_t seconds = (time_t)(libc_host_now() / NS_PER_S);

    if (now)
        *now = seconds;
    return seconds;
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
    libc_host_sleep((uint64_t)wanted->tv_sec * NS_PER_S + (uint64_t)wanted->tv_nsec);
    if (left)
        to_timespec(left, 0);
    return 0;
}

int usleep(useconds_t us)
{
    libc_host_sleep(us * 1000ull);
    return 0;
}

unsigned int sleep(unsigned int seconds)
{
    libc_host_sleep(seconds * NS_PER_S);
    return 0;
}

/* No descriptor is ever open. */
int close(int fd)
{
    (void)fd;
    errno = EBADF;
    return -1;
}

int unlink(const char *path)
{
    (void)path;
    errno = ENOENT;
    return -1;
}

/* Asked for by ethdev alone, for the text of a representor's device arguments: we give none. */
int __isoc99_sscanf(const char *text, const char *fmt, ...)
{
    (void)text;
    (void)fmt;
    return -1;
}
