/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/vmlinuz.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "linux/elf.h"
#include "linux/kernel.h"
#include "linux/pack.h"

/* Offsets in the file; boot.rst, "The Real-Mode Kernel Header". */
#define SETUP_SECTS 0x1f1
#define MAGIC 0x202
#define PROTOCOL 0x206
#define KERNEL_VERSION 0x20e
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define HEADER_END 0x250

#define SECTOR 512u
#define PROTOCOL_PAYLOAD 0x208 /* the first that says where the packed kernel is */
#define SIZE_LEN 4 /* behind the packed kernel stands how long the unpacked one is */

static uint32_t field(const char *file, size_t at, size_t size)
{
    uint32_t value = 0;

    memcpy(&value, file + at, size);
    return value;
}

static int wrong(const char **why_r, const char *why)
{
    *why_r = why;
    return -EINVAL;
}

static int version_take(const char *file, size_t len, struct vmlinuz *vmlinuz)
{
    size_t at = field(file, KERNEL_VERSION, 2) + SECTOR, n;

    if (at >= len)
        return -EINVAL;
    n = strnlen(file + at, len - at);
    for (size_t i = 0; i < n; i++)
        if (file[at + i] == ' ')
            n = i;
    if (n == 0 || n >= sizeof(vmlinuz->version))
        return -EINVAL;
    memcpy(vmlinuz->version, file + at, n);
    vmlinuz->version[n] = '\0';
    return 0;
}

int vmlinuz_parse(const void *file, size_t len, struct vmlinuz *vmlinuz_r, const char **why_r)
{
    struct vmlinuz vmlinuz = { 0 };
    const char *bytes = file;
    uint64_t start, end;

    if (len < HEADER_END || memcmp(bytes + MAGIC, "HdrS", 4) != 0)
        return wrong(why_r, "is no Linux kernel (no bzImage: \"HdrS\" is missing)");
    if (field(bytes, PROTOCOL, 2) < PROTOCOL_PAYLOAD)
        return wrong(why_r, "is too old a Linux kernel: its header does not say where the packed "
                            "kernel is");
    start = (field(bytes, SETUP_SECTS, 1) ? field(bytes, SETUP_SECTS, 1) : 4) + 1ull;
    start = start * SECTOR + field(bytes, PAYLOAD_OFFSET, 4);
    end = start + field(bytes, PAYLOAD_LENGTH, 4);
    if (end > len || field(bytes, PAYLOAD_LENGTH, 4) <= SIZE_LEN)
        return wrong(why_r, "is cut off: the packed kernel is not whole");
    if (version_take(bytes, len, &vmlinuz))
        return wrong(why_r, "does not say which version it is");
    vmlinuz.payload = bytes + start;
    vmlinuz.payload_len = (size_t)(end - start) - SIZE_LEN;
    *vmlinuz_r = vmlinuz;
    return 0;
}

int vmlinuz_unpack(const void *file, size_t len, char **data_r, size_t *len_r, const char **why_r)
{
    struct vmlinuz vmlinuz;
    size_t kernel_len;
    char *kernel;
    int err = vmlinuz_parse(file, len, &vmlinuz, why_r);

    if (err)
        return err;
    err = pack_undo(vmlinuz.payload, vmlinuz.payload_len, VMLINUZ_UNPACKED_MAX, &kernel,
                    &kernel_len, why_r);
    if (err == -EFBIG)
        return wrong(why_r, "unpacks to more than 256 MB");
    if (err)
        return err == -ENOMEM ? err
                              : wrong(why_r, "is damaged: the packed kernel cannot be unpacked");
    if (!elf_is(kernel, kernel_len))
        err = wrong(why_r, "is packed in a way that is not known, or damaged: what is in it is no "
                           "kernel");
    else if (!elf_has_xen_entry(kernel, kernel_len))
        err = wrong(why_r, "cannot run as a PV domain (built without CONFIG_XEN_PV)");
    else
        err = kernel_shrink(kernel, kernel_len, data_r, len_r);
    if (err == -EINVAL && !*why_r)
        *why_r = "is damaged: its segments make no sense";
    free(kernel);
    return err;
}
