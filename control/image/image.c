/* SPDX-License-Identifier: BSD-2-Clause */
#include "image/image.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/files.h"

#define TRAPS 32
#define ADDRESS_MAX (1ull << 30) /* the kernel's one GiB */

struct elf {
    const uint8_t *file;
    size_t len;
    Elf64_Ehdr header;
};

static int read_at(const struct elf *elf, uint64_t at, void *out, size_t size)
{
    if (at > elf->len || size > elf->len - at)
        return -EINVAL;
    memcpy(out, elf->file + at, size);
    return 0;
}

static int header_read(struct elf *elf)
{
    const Elf64_Ehdr *header = &elf->header;

    if (read_at(elf, 0, &elf->header, sizeof(elf->header)) ||
        memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != EM_X86_64 ||
        header->e_phentsize != sizeof(Elf64_Phdr))
        return -EINVAL;
    return 0;
}

static int program_header_read(const struct elf *elf, unsigned int i, Elf64_Phdr *header_r)
{
    uint64_t at;

    if (__builtin_add_overflow(elf->header.e_phoff, i * sizeof(*header_r), &at))
        return -EINVAL;
    return read_at(elf, at, header_r, sizeof(*header_r));
}

static int segment_add(const struct elf *elf, const Elf64_Phdr *header, struct image *image)
{
    if (image->nr_segments == IMAGE_SEGMENTS_MAX || header->p_offset > elf->len ||
        header->p_filesz > elf->len - header->p_offset || header->p_filesz > header->p_memsz ||
        header->p_vaddr > ADDRESS_MAX || header->p_memsz > ADDRESS_MAX - header->p_vaddr)
        return -EINVAL;
    image->segments[image->nr_segments++] =
        (struct image_segment){ header->p_vaddr, header->p_memsz, header->p_filesz,
                                elf->file + header->p_offset };
    return 0;
}

static bool note_is_ours(const struct elf *elf, const Elf64_Nhdr *note, uint64_t name_at)
{
    char name[sizeof(FERRY_NOTE_NAME)];

    return note->n_type == FERRY_NOTE_IMAGE && note->n_namesz == sizeof(name) &&
           read_at(elf, name_at, name, sizeof(name)) == 0 &&
           memcmp(name, FERRY_NOTE_NAME, sizeof(name)) == 0;
}

/* Returns 1 if it was there, 0 if not. */
static int note_find(const struct elf *elf, const Elf64_Phdr *header, struct ferry_image *note_r)
{
    uint64_t at = header->p_offset, end;
    Elf64_Nhdr note;

    if (__builtin_add_overflow(at, header->p_filesz, &end) || end > elf->len)
        return -EINVAL;
    while (end - at >= sizeof(note)) {
        uint64_t name_at = at + sizeof(note), data_at, next;

        if (read_at(elf, at, &note, sizeof(note)))
            return -EINVAL;
        data_at = name_at + ((note.n_namesz + 3ull) & ~3ull);
        next = data_at + ((note.n_descsz + 3ull) & ~3ull);
        if (next > end)
            return -EINVAL;
        if (note_is_ours(elf, &note, name_at)) {
            if (note.n_descsz != sizeof(*note_r))
                return -EINVAL;
            return read_at(elf, data_at, note_r, sizeof(*note_r)) ? -EINVAL : 1;
        }
        at = next;
    }
    return 0;
}

static bool range_ok(uint64_t start, uint64_t end, uint64_t limit)
{
    return start < end && end <= limit && start % IMAGE_PAGE == 0 && end % IMAGE_PAGE == 0;
}

static bool in(uint64_t va, uint64_t len, uint64_t start, uint64_t end)
{
    return va >= start && va <= end && len <= end - va;
}

/* The status page is data, so in neither of the two. */
static bool status_ok(const struct ferry_image *note)
{
    uint64_t page = note->status;

    return page && page % IMAGE_PAGE == 0 && page < note->image_end &&
           !(page >= note->text_start && page < note->text_end) &&
           !(page >= note->rodata_start && page < note->rodata_end);
}

static bool note_ok(const struct ferry_image *note)
{
    const uint64_t end = note->image_end;

    return note->version == FERRY_IMAGE_VERSION && end <= ADDRESS_MAX && end % IMAGE_PAGE == 0 &&
           range_ok(note->text_start, note->text_end, end) &&
           range_ok(note->rodata_start, note->rodata_end, end) &&
           in(note->restart_entry, 1, note->text_start, note->text_end) &&
           in(note->trap_stubs, TRAPS * FERRY_TRAP_STUB_SIZE, note->text_start, note->text_end) &&
           status_ok(note) && note->nic_text_start <= note->nic_text_end &&
           (note->nic_text_start == note->nic_text_end ||
            in(note->nic_text_start, note->nic_text_end - note->nic_text_start, note->text_start,
               note->text_end));
}

int image_parse(const void *file, size_t len, struct image *image_r)
{
    struct elf elf = { .file = file, .len = len };
    struct image image = { 0 };
    int found = 0, err = header_read(&elf);

    for (unsigned int i = 0; !err && i < elf.header.e_phnum; i++) {
        Elf64_Phdr header;

        err = program_header_read(&elf, i, &header);
        if (!err && header.p_type == PT_LOAD)
            err = segment_add(&elf, &header, &image);
        if (!err && header.p_type == PT_NOTE && !found) {
            found = note_find(&elf, &header, &image.note);
            err = found < 0 ? found : 0;
        }
    }
    if (err)
        return err;
    if (!found)
        return -ENOENT;
    if (!note_ok(&image.note))
        return -EINVAL;
    *image_r = image;
    return 0;
}

int image_load(const char *path, struct image *image_r)
{
    size_t len;
    char *file;
    int err = files_read(path, IMAGE_SIZE_MAX, &file, &len);

    if (err)
        return err;
    err = image_parse(file, len, image_r);
    if (err)
        free(file);
    else
        image_r->file = file;
    return err;
}

void image_dispose(struct image *image)
{
    free(image->file);
    memset(image, 0, sizeof(*image));
}

const uint8_t *image_page(const struct image *image, uint64_t va, uint8_t buffer[IMAGE_PAGE])
{
    memset(buffer, 0, IMAGE_PAGE);
    for (unsigned int i = 0; i < image->nr_segments; i++) {
        const struct image_segment *segment = &image->segments[i];
        uint64_t end = segment->va + segment->file_len;
        uint64_t from = va > segment->va ? va : segment->va;
        uint64_t to = va + IMAGE_PAGE < end ? va + IMAGE_PAGE : end;

        if (from < to && to - from == IMAGE_PAGE)
            return segment->data + (from - segment->va);
        if (from < to)
            memcpy(buffer + (from - va), segment->data + (from - segment->va), to - from);
    }
    return buffer;
}

bool image_fits(const struct image *running, const struct image *next, const char **why_r)
{
    const struct ferry_image *a = &running->note, *b = &next->note;

    if (a->recovery_version != b->recovery_version)
        *why_r = "it does not know what the running kernel leaves behind";
    else if (a->status != b->status)
        *why_r = "its status page lies elsewhere";
    else if (a->text_start != b->text_start || a->text_end != b->text_end ||
             a->rodata_start != b->rodata_start || a->rodata_end != b->rodata_end)
        *why_r = "its sections have other bounds";
    else if (b->image_end > a->image_end)
        *why_r = "it is larger than the running one";
    else
        return true;
    return false;
}

bool image_keeps_nic(const struct image *running, const struct image *next)
{
    return running->note.nic_hash && running->note.nic_hash == next->note.nic_hash;
}

bool image_in_nic(const struct image *image, uint64_t rip)
{
    return rip >= image->note.nic_text_start && rip < image->note.nic_text_end;
}
