/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kind_read(): any file is of some kind. Inputs are changes of a kernel of Linux: a first byte says whether the rest is a file as it
 * is, or triples of two bytes of an offset and one of a value.
 */
#include <elf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/elfnote.h>

#include "image/kind.h"

#include "fuzz.h"

#define FILE_LEN 1024
#define NOTE_AT 512

static uint8_t good[FILE_LEN];
static char path[32];
static int fd = -1;

static void good_make(void)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)good;
    Elf64_Phdr *ph = (Elf64_Phdr *)(good + sizeof(*header));
    Elf64_Nhdr *note = (Elf64_Nhdr *)(good + NOTE_AT);

    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS64;
    header->e_machine = EM_X86_64;
    header->e_phoff = sizeof(*header);
    header->e_phentsize = sizeof(*ph);
    header->e_phnum = 1;
    *ph = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = NOTE_AT, .p_filesz = 256 };
    *note = (Elf64_Nhdr){ 4, 6, XEN_ELFNOTE_GUEST_OS };
    memcpy(note + 1, "Xen", 4);
    memcpy((char *)(note + 1) + 4, "linux", 6);
}

static enum image_kind kind_of(const uint8_t *file, size_t len)
{
    enum image_kind kind = (enum image_kind) - 1;

    if (fd < 0) {
        fd = memfd_create("kind", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
    FUZZ_CHECK(pwrite(fd, file, len, 0) == (ssize_t)len);
    FUZZ_CHECK(kind_read(path, &kind) == 0);
    FUZZ_CHECK(kind == IMAGE_OTHER || kind == IMAGE_FERRY || kind == IMAGE_LINUX);
    FUZZ_CHECK(kind_is_linux(path) == (kind == IMAGE_LINUX));
    return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t file[FILE_LEN];

    if (!good[0]) {
        good_make();
        FUZZ_CHECK(kind_of(good, sizeof(good)) == IMAGE_LINUX);
    }
    if (!size)
        return 0;
    if (!data[0]) {
        kind_of(data + 1, size - 1);
        return 0;
    }
    memcpy(file, good, sizeof(file));
    for (size_t i = 1; i + 3 <= size; i += 3)
        file[(data[i] << 8 | data[i + 1]) % FILE_LEN] = data[i + 2];
    kind_of(file, sizeof(file));
    return 0;
}
