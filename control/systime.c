/* SPDX-License-Identifier: BSD-2-Clause */
#include "systime.h"

#include <string.h>

uint64_t systime_at(const struct vcpu_time_info *record, uint64_t tsc)
{
    uint64_t delta = tsc - record->tsc_timestamp;

    if (record->tsc_shift > 31 || record->tsc_shift < -31 || !record->tsc_to_system_mul)
        return 0;
    if (record->tsc_shift < 0)
        delta >>= -record->tsc_shift;
    else
        delta <<= record->tsc_shift;
    return record->system_time +
           (uint64_t)((unsigned __int128)delta * record->tsc_to_system_mul >> 32);
}

uint64_t systime_now(const volatile struct vcpu_time_info *record)
{
    struct vcpu_time_info copy;
    uint32_t version;

    for (unsigned int i = 0; i < 8; i++) {
        version = record->version;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        memcpy(&copy, (const void *)record, sizeof(copy));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(version & 1) && version == record->version)
            return systime_at(&copy, __builtin_ia32_rdtsc());
    }
    return 0;
}
