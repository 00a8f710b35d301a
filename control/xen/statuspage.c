/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/statuspage.h"

#include <string.h>

#include "util/log.h"

static void text_clean(char *text, size_t size)
{
    text[size - 1] = '\0';
    log_clean(text, strlen(text));
}

static void line_clean(char *text, size_t size)
{
    text_clean(text, size);
    for (; *text; text++)
        if (*text == '\n' || *text == '\t')
            *text = ' ';
}

_Static_assert(sizeof(struct ferry_status) % sizeof(uint64_t) == 0, "copied by words");

bool statuspage_copy(const volatile void *page, struct ferry_status *status_r)
{
    union {
        uint64_t words[sizeof(struct ferry_status) / sizeof(uint64_t)];
        struct ferry_status status;
    } copy;
    struct ferry_status status;

    for (size_t i = 0; i < sizeof(copy.words) / sizeof(copy.words[0]); i++)
        copy.words[i] = ((const volatile uint64_t *)page)[i];
    status = copy.status;
    if (status.magic != FERRY_STATUS_MAGIC || status.version != FERRY_STATUS_VERSION)
        return false;
    line_clean(status.nic_why, sizeof(status.nic_why));
    line_clean(status.last_port, sizeof(status.last_port));
    line_clean(status.reason, sizeof(status.reason));
    text_clean(status.report, sizeof(status.report));
    *status_r = status;
    return true;
}

bool statuspage_serves(const struct ferry_status *status, uint32_t before)
{
    return status->generation != before &&
           (status->phase == FERRY_PHASE_SERVING || status->phase == FERRY_PHASE_READY);
}

bool statuspage_is_ready(const struct ferry_status *status, uint32_t before)
{
    return status->generation != before && status->phase == FERRY_PHASE_READY;
}

int64_t statuspage_served_us(const struct ferry_status *status)
{
    uint64_t vifs = status->step_ns[FERRY_STEP_VIFS], nic = status->step_ns[FERRY_STEP_NIC];

    return (int64_t)((vifs > nic ? vifs : nic) / 1000);
}

const char *statuspage_phase_word(uint32_t phase)
{
    static const char *const words[] = { "unknown", "booting", "serving", "ready", "dying" };

    return words[phase <= FERRY_PHASE_DYING ? phase : 0];
}

const char *statuspage_nic_word(uint32_t nic_fate)
{
    static const char *const words[] = { "", "started", "kept", "reset" };

    return words[nic_fate <= FERRY_NIC_RESET ? nic_fate : 0];
}

const char *statuspage_step_word(unsigned int step)
{
    static const char *const words[FERRY_STEPS] = { "fault",    "reported", "verified",
                                                    "restored", "platform", "memory",
                                                    "vifs",     "nic",      "link" };

    return step < FERRY_STEPS ? words[step] : "";
}
