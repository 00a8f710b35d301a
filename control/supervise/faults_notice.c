/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/faults_notice.h"

#include <inttypes.h>
#include <stdio.h>

static const char *kind_words(int kind)
{
    if (kind == XENLOG_INTERRUPT)
        return "an interrupt it may not send, index";
    return kind == XENLOG_DMA_WRITE ? "a write to" : "a read at";
}

bool faults_notice(struct fault_count *count, const char *name, int64_t now_ms, char *text_r,
                   size_t size)
{
    char device[BDF_SIZE];
    uint64_t nr = count->nr - count->nr_told;

    if (nr == 0 || (count->told_ms && now_ms - count->told_ms < FAULTS_NOTICE_MS))
        return false;
    bdf_format(&count->last.bdf, device);
    snprintf(
        text_r, size,
        "the IOMMU refused %s%" PRIu64 " requests of its device %s, the last of them %s 0x%" PRIx64
        "%s; they reached nobody's memory. Around a death these are its last transfers; else its "
        "driver is broken, or an attacker's by now: `xl dmesg` has each of them, `ferry stop %s` "
        "ends it",
        count->nr_told ? "another " : "", nr, device, kind_words((int)count->last.kind),
        count->last.where, count->cut_off ? "; Xen switched the device's bus mastering off" : "",
        name);
    count->nr_told = count->nr;
    count->told_ms = now_ms;
    count->cut_off = false;
    return true;
}
