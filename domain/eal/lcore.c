/* SPDX-License-Identifier: BSD-2-Clause */
/* One lcore, one thread, one socket. */
#include <errno.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_lcore.h>
#include <rte_per_lcore.h>
#include <rte_thread.h>

RTE_DEFINE_PER_LCORE(unsigned int, _lcore_id) = 0;
RTE_DEFINE_PER_LCORE(int, _thread_id) = 1;

unsigned int rte_get_main_lcore(void)
{
    return 0;
}

unsigned int rte_lcore_count(void)
{
    return 1;
}

int rte_lcore_index(int lcore)
{
    return lcore <= 0 ? 0 : -1;
}

int rte_lcore_is_enabled(unsigned int lcore)
{
    return lcore == 0;
}

int rte_lcore_has_role(unsigned int lcore, enum rte_lcore_role_t role)
{
    return (lcore == 0 ? ROLE_RTE : ROLE_OFF) == role;
}

enum rte_lcore_role_t rte_eal_lcore_role(unsigned int lcore)
{
    return lcore == 0 ? ROLE_RTE : ROLE_OFF;
}

unsigned int rte_get_next_lcore(unsigned int lcore, int skip_main, int wrap)
{
    (void)lcore;
    return wrap && !skip_main ? 0 : RTE_MAX_LCORE;
}

unsigned int rte_lcore_to_socket_id(unsigned int lcore)
{
    (void)lcore;
    return 0;
}

unsigned int rte_socket_id(void)
{
    return 0;
}

unsigned int rte_socket_count(void)
{
    return 1;
}

int rte_socket_id_by_idx(unsigned int index)
{
    if (index == 0)
        return 0;
    rte_errno = EINVAL;
    return -1;
}

int rte_sys_gettid(void)
{
    return 1;
}

/* Drivers that would poll in a thread of their own cannot be used; their probe fails with this. */
int rte_ctrl_thread_create(pthread_t *thread, const char *name, const pthread_attr_t *attr,
                           void *(*fn)(void *), void *arg)
{
    (void)thread;
    (void)name;
    (void)attr;
    (void)fn;
    (void)arg;
    return -ENOTSUP;
}

int rte_thread_is_intr(void)
{
    return 0;
}
