/* SPDX-License-Identifier: BSD-2-Clause */
#include "image/kind.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ferry/image.h>
#include <xen/elfnote.h>

#define PROGRAMS_MAX 64
#define NOTES_MAX 65536 /* bytes of one segment; longer ones are not looked at */
#define BOOT_FLAG_AT 0x1fe
#define BOOT_HEADER_AT 0x202
#define BOOT_HEADER "HdrS"

/* Returns whether all of it is there. */
static bool read_at(int fd, uint64_t at, void *out, size_t size)
{
    return at <= INT64_MAX && pread(fd, out, size, (off_t)at) == (ssize_t)size;
}

static bool is_bzimage(int fd)
{
    uint8_t flag[2];
    char header[sizeof(BOOT_HEADER) - 1];

    return read_at(fd, BOOT_FLAG_AT, flag, sizeof(flag)) && flag[0] == 0x55 && flag[1] == 0xaa &&
           read_at(fd, BOOT_HEADER_AT, header, sizeof(header)) &&
           memcmp(header, BOOT_HEADER, sizeof(header)) == 0;
}

static bool is_word(const uint8_t *bytes, uint32_t len, const char *word)
{
    return len == strlen(word) + 1 && memcmp(bytes, word, len) == 0;
}

static enum image_kind note_kind(const Elf64_Nhdr *note, const uint8_t *name, const uint8_t *desc)
{
    if (note->n_type == FERRY_NOTE_IMAGE && is_word(name, note->n_namesz, FERRY_NOTE_NAME))
        return IMAGE_FERRY;
    if (note->n_type != XEN_ELFNOTE_GUEST_OS || !is_word(name, note->n_namesz, "Xen"))
        return IMAGE_OTHER;
    return is_word(desc, note->n_descsz, "linux")   ? IMAGE_LINUX
           : is_word(desc, note->n_descsz, "Ferry") ? IMAGE_FERRY
                                                    : IMAGE_OTHER;
}

static enum image_kind notes_kind(const uint8_t *notes, size_t len)
{
    enum image_kind kind = IMAGE_OTHER;
    size_t at = 0;

    while (kind == IMAGE_OTHER && len - at >= sizeof(Elf64_Nhdr)) {
        uint64_t name_at = at + sizeof(Elf64_Nhdr), desc_at, next;
        Elf64_Nhdr note;

        memcpy(&note, notes + at, sizeof(note));
        desc_at = name_at + ((note.n_namesz + 3ull) & ~3ull);
        next = desc_at + ((note.n_descsz + 3ull) & ~3ull);
        if (next > len)
            break;
        kind = note_kind(&note, notes + name_at, notes + desc_at);
        at = next;
    }
    return kind;
}

static enum image_kind segment_kind(int fd, const Elf64_Phdr *program)
{
    enum image_kind kind = IMAGE_OTHER;
    uint8_t *notes;

    if (program->p_type != PT_NOTE || program->p_filesz > NOTES_MAX)
        return IMAGE_OTHER;
    notes = malloc(program->p_filesz + 1);
    if (notes && read_at(fd, program->p_offset, notes, program->p_filesz))
        kind = notes_kind(notes, program->p_filesz);
    free(notes);
    return kind;
}

static enum image_kind elf_kind(int fd)
{
    enum image_kind kind = IMAGE_OTHER;
    Elf64_Ehdr header;

    if (!read_at(fd, 0, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
        header.e_phentsize != sizeof(Elf64_Phdr))
        return IMAGE_OTHER;
    for (unsigned int i = 0; kind == IMAGE_OTHER && i < header.e_phnum && i < PROGRAMS_MAX; i++) {
        Elf64_Phdr program;
        uint64_t at;

        if (__builtin_add_overflow(header.e_phoff, i * sizeof(program), &at) ||
            !read_at(fd, at, &program, sizeof(program)))
            break;
        kind = segment_kind(fd, &program);
    }
    return kind;
}

int kind_read(const char *path, enum image_kind *kind_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char byte;

    if (fd < 0)
        return -errno;
    if (pread(fd, &byte, 1, 0) < 0) { /* a directory, a pipe */
        int err = -errno;

        close(fd);
        return err;
    }
    *kind_r = is_bzimage(fd) ? IMAGE_LINUX : elf_kind(fd);
    close(fd);
    return 0;
}

bool kind_is_linux(const char *path)
{
    enum image_kind kind;

    return kind_read(path, &kind) == 0 && kind == IMAGE_LINUX;
}
