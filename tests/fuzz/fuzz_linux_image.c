/* SPDX-License-Identifier: BSD-2-Clause */
/* The ELF files and the kernel that an image is made from: what is taken of them lies within the file. A first byte says how it is read. */
#include "linux/elf.h"
#include "linux/kernel.h"
#include "linux/vmlinuz.h"

#include "fuzz.h"

static void inside(const void *file, size_t len, const char *text)
{
    const char *first = file;

    FUZZ_CHECK(text >= first && text < first + len);
    FUZZ_CHECK(memchr(text, '\0', (size_t)(first + len - text)));
}

static void elf_try(const uint8_t *file, size_t len)
{
    struct elf_needs needs;
    size_t shrunk_len;
    char *shrunk;

    if (kernel_shrink(file, len, &shrunk, &shrunk_len) == 0) {
        char *again;
        size_t again_len;

        /* What it made is taken again, and is as small as it gets. */
        FUZZ_CHECK(kernel_shrink(shrunk, shrunk_len, &again, &again_len) == 0);
        FUZZ_CHECK(again_len == shrunk_len && memcmp(again, shrunk, again_len) == 0);
        free(again);
        free(shrunk);
    }
    (void)elf_has_xen_entry(file, len);
    if (elf_needs(file, len, &needs))
        return;
    FUZZ_CHECK(needs.nr <= ELF_NEEDED_MAX);
    if (needs.interpreter)
        inside(file, len, needs.interpreter);
    if (needs.runpath)
        inside(file, len, needs.runpath);
    for (size_t i = 0; i < needs.nr; i++)
        inside(file, len, needs.libraries[i]);
}

static void vmlinuz_try(const uint8_t *file, size_t len)
{
    struct vmlinuz vmlinuz;
    const char *why = NULL;

    if (vmlinuz_parse(file, len, &vmlinuz, &why)) {
        FUZZ_CHECK(why);
        return;
    }
    FUZZ_CHECK(vmlinuz.payload > (const char *)file &&
               vmlinuz.payload_len <= len - (size_t)(vmlinuz.payload - (const char *)file));
    FUZZ_CHECK(vmlinuz.version[0] && strlen(vmlinuz.version) < VMLINUZ_VERSION_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact;

    if (size < 2)
        return 0;
    exact = malloc(size - 1);
    FUZZ_CHECK(exact);
    memcpy(exact, data + 1, size - 1);
    if (data[0] & 1)
        vmlinuz_try(exact, size - 1);
    else
        elf_try(exact, size - 1);
    free(exact);
    return 0;
}
