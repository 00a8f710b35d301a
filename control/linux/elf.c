/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#define NOTE_XEN_ENTRY 1 /* XEN_ELFNOTE_ENTRY */

struct view {
    const char *file;
    size_t len;
    Elf64_Ehdr header;
};

static bool inside(const struct view *view, uint64_t at, uint64_t len)
{
    return at <= view->len && len <= view->len - at;
}

static bool view_open(const void *file, size_t len, struct view *view_r)
{
    view_r->file = file;
    view_r->len = len;
    if (len < sizeof(view_r->header))
        return false;
    memcpy(&view_r->header, file, sizeof(view_r->header));
    return memcmp(view_r->header.e_ident, ELFMAG, SELFMAG) == 0 &&
           view_r->header.e_ident[EI_CLASS] == ELFCLASS64 &&
           view_r->header.e_machine == EM_X86_64 &&
           (!view_r->header.e_phnum || view_r->header.e_phentsize == sizeof(Elf64_Phdr));
}

static bool segment(const struct view *view, unsigned int i, Elf64_Phdr *segment_r)
{
    uint64_t at = view->header.e_phoff + (uint64_t)i * sizeof(*segment_r);

    if (i >= view->header.e_phnum || view->header.e_phoff > view->len ||
        !inside(view, at, sizeof(*segment_r)))
        return false;
    memcpy(segment_r, view->file + at, sizeof(*segment_r));
    return inside(view, segment_r->p_offset, segment_r->p_filesz);
}

bool elf_is(const void *file, size_t len)
{
    struct view view;

    return view_open(file, len, &view);
}

/* A text at an offset of the file, if it ends inside of it. */
static const char *text_at(const struct view *view, uint64_t at)
{
    if (at >= view->len || !memchr(view->file + at, '\0', view->len - at))
        return NULL;
    return view->file + at;
}

/* Where a virtual address is in the file; the file's length if nowhere. */
static uint64_t offset_of(const struct view *view, uint64_t va)
{
    Elf64_Phdr load;

    for (unsigned int i = 0; i < view->header.e_phnum; i++)
        if (segment(view, i, &load) && load.p_type == PT_LOAD && va >= load.p_vaddr &&
            va - load.p_vaddr < load.p_filesz)
            return load.p_offset + (va - load.p_vaddr);
    return view->len;
}

static bool dynamic_entry(const struct view *view, const Elf64_Phdr *dynamic, size_t i,
                          Elf64_Dyn *entry_r)
{
    if (i >= dynamic->p_filesz / sizeof(*entry_r))
        return false;
    memcpy(entry_r, view->file + dynamic->p_offset + i * sizeof(*entry_r), sizeof(*entry_r));
    return entry_r->d_tag != DT_NULL;
}

static int dynamic_needs(const struct view *view, const Elf64_Phdr *dynamic,
                         struct elf_needs *needs)
{
    uint64_t strings = view->len;
    Elf64_Dyn entry;

    for (size_t i = 0; dynamic_entry(view, dynamic, i, &entry); i++)
        if (entry.d_tag == DT_STRTAB)
            strings = offset_of(view, entry.d_un.d_ptr);
    for (size_t i = 0; dynamic_entry(view, dynamic, i, &entry); i++) {
        const char *text;

        if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RUNPATH && entry.d_tag != DT_RPATH)
            continue;
        text = entry.d_un.d_val < view->len ? text_at(view, strings + entry.d_un.d_val) : NULL;
        if (!text || (entry.d_tag == DT_NEEDED && needs->nr == ELF_NEEDED_MAX))
            return -EINVAL;
        if (entry.d_tag == DT_NEEDED)
            needs->libraries[needs->nr++] = text;
        else
            needs->runpath = text;
    }
    return 0;
}

int elf_needs(const void *file, size_t len, struct elf_needs *needs_r)
{
    struct elf_needs needs = { 0 };
    struct view view;
    Elf64_Phdr part;
    int err = 0;

    if (!view_open(file, len, &view))
        return -EINVAL;
    for (unsigned int i = 0; !err && i < view.header.e_phnum; i++) {
        if (!segment(&view, i, &part))
            return -EINVAL;
        if (part.p_type == PT_INTERP && !(needs.interpreter = text_at(&view, part.p_offset)))
            return -EINVAL;
        if (part.p_type == PT_DYNAMIC)
            err = dynamic_needs(&view, &part, &needs);
    }
    if (!err)
        *needs_r = needs;
    return err;
}

static bool notes_have_entry(const struct view *view, const Elf64_Phdr *notes)
{
    uint64_t at = notes->p_offset, end = at + notes->p_filesz;
    Elf64_Nhdr note;

    while (end - at >= sizeof(note)) {
        uint64_t name_len, desc_len;

        memcpy(&note, view->file + at, sizeof(note));
        at += sizeof(note);
        name_len = (note.n_namesz + 3ull) & ~3ull;
        desc_len = (note.n_descsz + 3ull) & ~3ull;
        if (name_len > end - at)
            return false;
        if (note.n_type == NOTE_XEN_ENTRY && note.n_namesz == 4 &&
            memcmp(view->file + at, "Xen", 4) == 0)
            return true;
        at += name_len;
        if (desc_len > end - at)
            return false;
        at += desc_len;
    }
    return false;
}

bool elf_has_xen_entry(const void *file, size_t len)
{
    struct view view;
    Elf64_Phdr part;

    if (!view_open(file, len, &view))
        return false;
    for (unsigned int i = 0; i < view.header.e_phnum; i++)
        if (segment(&view, i, &part) && part.p_type == PT_NOTE && notes_have_entry(&view, &part))
            return true;
    return false;
}
