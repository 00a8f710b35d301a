/* SPDX-License-Identifier: BSD-2-Clause */
/* Function names for crash reports: a table that tools/mksymbols makes from the first link. */
#include <stddef.h>
#include <stdint.h>

#include "pv/mm.h"
#include "pv/traps.h"

struct symbol {
    uint32_t addr;
    uint32_t name; /* offset in symbol_names */
};

extern const uint32_t symbol_count;
extern const struct symbol symbol_table[];
extern const char symbol_names[];

const char *symbol_lookup(uintptr_t addr, uintptr_t *offset_r)
{
    uint32_t low = 0, high = symbol_count;

    if (!mm_is_text(addr))
        return NULL;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (symbol_table[mid].addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return NULL;
    *offset_r = addr - symbol_table[low - 1].addr;
    return &symbol_names[symbol_table[low - 1].name];
}
