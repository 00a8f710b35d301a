/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/xenlog.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FAULT_SIZE 200 /* of a line; Xen's own are half as long */

struct line {
    const char *at;
    size_t len;
};

static bool line_has(struct line line, const char *text)
{
    return memmem(line.at, line.len, text, strlen(text)) != NULL;
}

/* "(XEN) ", then perhaps a time stamp in brackets; false for a line that is not Xen's own. */
static bool line_is_xens(struct line *line)
{
    static const char prefix[] = "(XEN) ";
    const char *end = NULL;

    if (line->len < sizeof(prefix) - 1 || memcmp(line->at, prefix, sizeof(prefix) - 1) != 0)
        return false;
    line->at += sizeof(prefix) - 1;
    line->len -= sizeof(prefix) - 1;
    if (line->len > 1 && line->at[0] == '[' &&
        (line->at[1] == ' ' || isdigit((unsigned char)line->at[1])))
        end = memchr(line->at, ']', line->len);
    if (end) {
        line->len -= (size_t)(end + 1 - line->at);
        line->at = end + 1;
    }
    while (line->len && *line->at == ' ') {
        line->at++;
        line->len--;
    }
    /* What a domain prints through Xen: "d3v0 ...", "[d3] ...", "(d3) ...". */
    if (line->len > 1 && strchr("[(", line->at[0]) && line->at[1] == 'd')
        return false;
    return !(line->len > 1 && line->at[0] == 'd' && isdigit((unsigned char)line->at[1]));
}

static bool line_starts(struct line line, const char *text)
{
    return line.len >= strlen(text) && memcmp(line.at, text, strlen(text)) == 0;
}

static void mode_take(struct line line, struct xenlog_facts *facts)
{
    if (line_has(line, "Passthrough"))
        facts->mode = XENLOG_MODE_PASSTHROUGH;
    else if (line_has(line, "Relaxed"))
        facts->mode = XENLOG_MODE_RELAXED;
    else if (line_has(line, "Strict"))
        facts->mode = XENLOG_MODE_STRICT;
}

static void line_take(struct line line, struct xenlog_facts *facts)
{
    if (line_starts(line, "Xen version ") || line_starts(line, "Command line: "))
        facts->from_boot = true;
    else if (line_starts(line, "I/O virtualisation enabled"))
        facts->iommu = XENLOG_YES;
    else if (line_starts(line, "I/O virtualisation disabled"))
        facts->iommu = XENLOG_NO;
    else if (line_starts(line, "Interrupt remapping enabled"))
        facts->remapping = XENLOG_YES;
    else if (line_starts(line, "Interrupt remapping disabled"))
        facts->remapping = XENLOG_NO;
    else if (line_starts(line, "- Dom0 mode: ") || line_starts(line, "Dom0 mode: "))
        mode_take(line, facts);
}

void xenlog_parse(const char *text, struct xenlog_facts *facts_r)
{
    struct xenlog_facts facts = { 0 };

    while (*text) {
        struct line line = { text, strcspn(text, "\n") };

        text += line.len + (text[line.len] ? 1 : 0);
        if (line_is_xens(&line))
            line_take(line, &facts);
    }
    *facts_r = facts;
}

/* Numbers have as many digits as fit: sscanf() says nothing of overflow. */
#define SBDF "%12[0-9a-f:.]"
#define ADDRESS "%16[0-9a-f]"

static bool device_take(const char *text, const char *where, struct xenlog_fault *fault)
{
    return bdf_parse(text, &fault->bdf) == 0 && sscanf(where, "%" SCNx64, &fault->where) == 1;
}

/* Xen, drivers/passthrough/vtd/iommu.c, iommu_page_fault_do_one(). */
static bool vtd_take(const char *text, struct xenlog_fault *fault)
{
    char kind[8], device[13], where[17];

    if (sscanf(text, "[VT-D]DMAR:[DMA %7[A-Za-z]] Request device [" SBDF "] fault addr " ADDRESS,
               kind, device, where) == 3)
        fault->kind = strcmp(kind, "Write") == 0 ? XENLOG_DMA_WRITE : XENLOG_DMA_READ;
    else if (sscanf(text, "[VT-D]INTR-REMAP: Request device [" SBDF "] fault index " ADDRESS,
                    device, where) == 2)
        fault->kind = XENLOG_INTERRUPT;
    else
        return false;
    return device_take(device, where, fault);
}

/* Xen, drivers/passthrough/amd/iommu_init.c, parse_event_log_entry(). */
static bool amd_take(const char *text, struct xenlog_fault *fault)
{
    char device[13], where[17];

    if (sscanf(text, "AMD-Vi: IO_PAGE_FAULT: " SBDF " d%*u addr " ADDRESS, device, where) != 2)
        return false;
    fault->kind = strstr(text, " RW") ? XENLOG_DMA_WRITE : XENLOG_DMA_READ;
    return device_take(device, where, fault);
}

static void fault_take(struct line line, xenlog_fault_fn *fn, void *ctx)
{
    struct xenlog_fault fault;
    char text[FAULT_SIZE];

    if (line.len >= sizeof(text) || memchr(line.at, '\0', line.len))
        return;
    memcpy(text, line.at, line.len);
    text[line.len] = '\0';
    if (vtd_take(text, &fault) || amd_take(text, &fault))
        fn(ctx, &fault);
}

size_t xenlog_faults(const char *text, size_t len, xenlog_fault_fn *fn, void *ctx)
{
    const char *at = text, *end;

    while ((end = memchr(at, '\n', len - (size_t)(at - text)))) {
        struct line line = { at, (size_t)(end - at) };

        at = end + 1;
        if (line_is_xens(&line))
            fault_take(line, fn, ctx);
    }
    return (size_t)(at - text);
}
