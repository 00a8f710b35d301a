/* SPDX-License-Identifier: BSD-2-Clause */
/* dmar_find(): a firmware's table, whatever is in it, is read within its bounds. Six bytes say which device, the rest is the table. */
#include <errno.h>

#include "check/dmar.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    struct dmar_region region = { .base = 1, .limit = 0 };
    struct bdf bdf = { .domain = fuzz_u16(&input) };
    const uint8_t *bytes;
    size_t len;
    void *table;
    int found;

    bdf.bus = fuzz_u8(&input);
    bdf.dev = fuzz_u8(&input) & 31;
    bdf.func = fuzz_u8(&input) & 7;
    len = fuzz_take(&input, size, &bytes);
    table = fuzz_copy(bytes, len);
    found = dmar_find(table, len, &bdf, &region);
    FUZZ_CHECK(found == 1 || found == 0 || found == -EINVAL);
    FUZZ_CHECK(found == 1 || (region.base == 1 && region.limit == 0));
    free(table);
    return 0;
}
