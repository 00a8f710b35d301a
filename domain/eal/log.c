/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's log into ours: one threshold for all of its parts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_debug.h>
#include <rte_log.h>

#include "eal/internal.h"
#include "xen/log.h"

#define FIRST_TYPE RTE_LOGTYPE_FIRST_EXT_ID
#define LINE_SIZE 256

static uint32_t threshold = RTE_LOG_NOTICE;
static uint32_t nr_types;

void eal_log_init(uint32_t level)
{
    threshold = level;
}

int rte_log_register(const char *name)
{
    (void)name;
    return (int)(FIRST_TYPE + nr_types++);
}

int rte_log_register_type_and_pick_level(const char *name, uint32_t level)
{
    (void)level;
    return rte_log_register(name);
}

uint32_t rte_log_get_global_level(void)
{
    return threshold;
}

void rte_log_set_global_level(uint32_t level)
{
    threshold = level;
}

int rte_log_get_level(uint32_t type)
{
    (void)type;
    return (int)threshold;
}

int rte_log_set_level(uint32_t type, uint32_t level)
{
    (void)type;
    (void)level;
    return 0;
}

bool rte_log_can_log(uint32_t type, uint32_t level)
{
    (void)type;
    return level <= threshold;
}

static enum log_level level_of(uint32_t level)
{
    if (level <= RTE_LOG_ERR)
        return LOG_ERROR;
    if (level <= RTE_LOG_WARNING)
        return LOG_WARN;
    return level <= RTE_LOG_INFO ? LOG_INFO : LOG_DEBUG;
}

int rte_vlog(uint32_t level, uint32_t type, const char *fmt, va_list ap)
{
    char line[LINE_SIZE];
    int len;

    if (!rte_log_can_log(type, level))
        return 0;
    len = vsnprintf(line, sizeof(line), fmt, ap);
    line[strcspn(line, "\n")] = '\0';
    if (line[0] != '\0')
        log_line(level_of(level), "dpdk: %s", line);
    return len;
}

int rte_log(uint32_t level, uint32_t type, const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = rte_vlog(level, type, fmt, ap);
    va_end(ap);
    return ret;
}

void __rte_panic(const char *function, const char *fmt, ...)
{
    char reason[LINE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(reason, sizeof(reason), fmt, ap);
    va_end(ap);
    reason[strcspn(reason, "\n")] = '\0';
    panic("%s: %s", function, reason);
}

void rte_exit(int code, const char *fmt, ...)
{
    char reason[LINE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(reason, sizeof(reason), fmt, ap);
    va_end(ap);
    panic("dpdk exits with %d: %s", code, reason);
}

/* The crash report has the stack. */
void rte_dump_stack(void)
{
}
