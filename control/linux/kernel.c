/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/kernel.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096ull
#define SEGMENTS_MAX 32

struct kernel {
    const char *file;
    size_t len;
    Elf64_Ehdr header;
    Elf64_Phdr old[SEGMENTS_MAX], new[SEGMENTS_MAX];
    uint64_t new_len;
};

static int segments_read(struct kernel *kernel)
{
    const Elf64_Ehdr *header = &kernel->header;
    size_t size;

    if (kernel->len < sizeof(*header))
        return -EINVAL;
    memcpy(&kernel->header, kernel->file, sizeof(kernel->header));
    size = header->e_phnum * sizeof(Elf64_Phdr);
    if (!header->e_phnum || header->e_phnum > SEGMENTS_MAX ||
        header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff > kernel->len ||
        size > kernel->len - header->e_phoff)
        return -EINVAL;
    memcpy(kernel->old, kernel->file + header->e_phoff, size);
    for (unsigned int i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = &kernel->old[i];

        if (segment->p_offset > kernel->len || segment->p_filesz > kernel->len - segment->p_offset)
            return -EINVAL;
        if (segment->p_type == PT_LOAD && segment->p_filesz > segment->p_memsz)
            return -EINVAL;
    }
    return 0;
}

static uint64_t without_zeros(const char *bytes, uint64_t len)
{
    while (len && !bytes[len - 1])
        len--;
    return len;
}

/* What is in no loaded segment of its own lies in one of them: the notes. Those zeros stay that it ends with. */
static int place_within(struct kernel *kernel, unsigned int i)
{
    const Elf64_Phdr *part = &kernel->old[i];

    for (unsigned int j = 0; j < kernel->header.e_phnum; j++) {
        const Elf64_Phdr *load = &kernel->old[j];
        uint64_t end;

        if (load->p_type != PT_LOAD || part->p_offset < load->p_offset ||
            part->p_offset - load->p_offset > load->p_filesz ||
            part->p_filesz > load->p_filesz - (part->p_offset - load->p_offset))
            continue;
        end = part->p_offset - load->p_offset + part->p_filesz;
        if (kernel->new[j].p_filesz < end)
            kernel->new[j].p_filesz = end;
        return (int)j;
    }
    return -EINVAL;
}

/* Where each goes: lengths first, as a note may lengthen what holds it. */
static int segments_place(struct kernel *kernel)
{
    unsigned int nr = kernel->header.e_phnum;
    int within[SEGMENTS_MAX];
    bool has_load = false;

    for (unsigned int i = 0; i < nr; i++) {
        kernel->new[i] = kernel->old[i];
        if (kernel->old[i].p_type != PT_LOAD)
            continue;
        has_load = true;
        kernel->new[i].p_filesz =
            without_zeros(kernel->file + kernel->old[i].p_offset, kernel->old[i].p_filesz);
    }
    for (unsigned int i = 0; i < nr; i++) {
        within[i] = kernel->old[i].p_type == PT_NOTE ? place_within(kernel, i) : -ENOENT;
        if (within[i] == -EINVAL)
            return -EINVAL;
    }
    kernel->new_len = sizeof(kernel->header) + nr * sizeof(Elf64_Phdr);
    for (unsigned int i = 0; i < nr; i++) {
        if (kernel->old[i].p_type != PT_LOAD)
            continue;
        kernel->new[i].p_offset = (kernel->new_len + PAGE - 1) & ~(PAGE - 1);
        kernel->new_len = kernel->new[i].p_offset + kernel->new[i].p_filesz;
        kernel->new[i].p_align = kernel->new[i].p_vaddr % PAGE ? 0 : PAGE;
    }
    if (kernel->new_len > kernel->len + (nr + 1) * PAGE)
        return -EINVAL; /* they overlap */
    for (unsigned int i = 0; i < nr; i++) {
        if (within[i] >= 0)
            kernel->new[i].p_offset = kernel->new[within[i]].p_offset +
                                      (kernel->old[i].p_offset - kernel->old[within[i]].p_offset);
        else if (kernel->old[i].p_type != PT_LOAD)
            kernel->new[i] = (Elf64_Phdr){ .p_type = PT_NULL };
    }
    return has_load ? 0 : -EINVAL;
}

static char *assemble(struct kernel *kernel)
{
    Elf64_Ehdr *header = &kernel->header;
    char *data = calloc(1, kernel->new_len);

    if (!data)
        return NULL;
    header->e_phoff = sizeof(*header);
    header->e_shoff = 0;
    header->e_shnum = header->e_shstrndx = header->e_shentsize = 0;
    memcpy(data, header, sizeof(*header));
    memcpy(data + header->e_phoff, kernel->new, header->e_phnum * sizeof(Elf64_Phdr));
    for (unsigned int i = 0; i < header->e_phnum; i++)
        if (kernel->new[i].p_type == PT_LOAD)
            memcpy(data + kernel->new[i].p_offset, kernel->file + kernel->old[i].p_offset,
                   kernel->new[i].p_filesz);
    return data;
}

int kernel_shrink(const void *file, size_t len, char **data_r, size_t *len_r)
{
    struct kernel kernel = { .file = file, .len = len };
    int err = segments_read(&kernel);

    if (!err)
        err = segments_place(&kernel);
    if (err)
        return err;
    *data_r = assemble(&kernel);
    if (!*data_r)
        return -ENOMEM;
    *len_r = kernel.new_len;
    return 0;
}
