/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose kernel a file is, also of one that is damaged. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/kind.h"

#include <ferry/image.h>

#define SIZE 1024
#define NOTES_AT 256

static char path[] = "/tmp/ferry-test-XXXXXX";

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    close(fd);
    return fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static enum image_kind kind_of(const void *file, size_t len)
{
    enum image_kind kind = (enum image_kind) - 1;
    int fd = open(path, O_WRONLY | O_TRUNC);

    assert_int_equal(write(fd, file, len), len);
    close(fd);
    assert_int_equal(kind_read(path, &kind), 0);
    assert_int_equal(kind_is_linux(path), kind == IMAGE_LINUX);
    return kind;
}

/* Appends a note; returns where the next one goes. */
static size_t note_put(uint8_t *file, size_t at, const char *name, uint32_t type, const char *text)
{
    Elf64_Nhdr note = { (uint32_t)strlen(name) + 1, (uint32_t)strlen(text) + 1, type };

    memcpy(file + at, &note, sizeof(note));
    at += sizeof(note);
    strcpy((char *)file + at, name);
    at += (note.n_namesz + 3) & ~3u;
    strcpy((char *)file + at, text);
    return at + ((note.n_descsz + 3) & ~3u);
}

static void elf_begin(uint8_t file[SIZE], size_t notes_end)
{
    Elf64_Ehdr header = { .e_machine = EM_X86_64,
                          .e_phoff = sizeof(Elf64_Ehdr),
                          .e_phentsize = sizeof(Elf64_Phdr),
                          .e_phnum = 2 };
    Elf64_Phdr programs[2] = {
        { .p_type = PT_LOAD, .p_offset = 0, .p_filesz = 64 },
        { .p_type = PT_NOTE, .p_offset = NOTES_AT, .p_filesz = notes_end - NOTES_AT }
    };

    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    memcpy(file, &header, sizeof(header));
    memcpy(file + sizeof(header), programs, sizeof(programs));
}

static void elf_make(uint8_t file[SIZE], const char *os)
{
    size_t at = NOTES_AT;

    memset(file, 0, SIZE);
    at = note_put(file, at, "Linux", 6, "6.1"); /* of another owner */
    at = note_put(file, at, "Xen", 5, "xen-3.0");
    at = note_put(file, at, "Xen", 6, os);
    elf_begin(file, at);
}

static void a_vmlinux_says_so_in_a_note(void **state)
{
    uint8_t file[SIZE];

    (void)state;
    elf_make(file, "linux");
    assert_int_equal(kind_of(file, sizeof(file)), IMAGE_LINUX);
    elf_make(file, "Ferry");
    assert_int_equal(kind_of(file, sizeof(file)), IMAGE_FERRY);
    elf_make(file, "Mini-OS");
    assert_int_equal(kind_of(file, sizeof(file)), IMAGE_OTHER);
    elf_make(file, "linux2");
    assert_int_equal(kind_of(file, sizeof(file)), IMAGE_OTHER);
}

static void ferrys_own_note_is_enough(void **state)
{
    uint8_t file[SIZE] = { 0 };

    (void)state;
    elf_begin(file, note_put(file, NOTES_AT, FERRY_NOTE_NAME, FERRY_NOTE_IMAGE, "any"));
    assert_int_equal(kind_of(file, sizeof(file)), IMAGE_FERRY);
}

static void a_bzimage_has_a_flag_and_a_word(void **state)
{
    uint8_t file[SIZE] = { 0 };

    (void)state;
    file[0x1fe] = 0x55;
    file[0x1ff] = 0xaa;
    memcpy(file + 0x202, "HdrS", 4);
    assert_int_equal(kind_of(file, sizeof(file)), IMAGE_LINUX);
    assert_int_equal(kind_of(file, 0x205), IMAGE_OTHER);
    file[0x1fe] = 0;
    assert_int_equal(kind_of(file, sizeof(file)), IMAGE_OTHER);
}

static void a_cut_or_damaged_file_is_nobodys(void **state)
{
    uint8_t file[SIZE], whole[SIZE];

    (void)state;
    elf_make(whole, "linux");
    for (size_t len = 0; len < NOTES_AT + 40; len++)
        assert_int_equal(kind_of(whole, len), IMAGE_OTHER);
    /* Lengths and offsets as large as they can be said. */
    for (size_t at = 0; at + 8 <= NOTES_AT + 64; at += 4) {
        memcpy(file, whole, sizeof(file));
        memset(file + at, 0xff, 8);
        kind_of(file, sizeof(file));
    }
}

static void what_cannot_be_read_is_an_error(void **state)
{
    enum image_kind kind = IMAGE_FERRY;

    (void)state;
    assert_int_equal(kind_read("/nonexistent/vmlinuz", &kind), -ENOENT);
    assert_int_equal(kind_read("/tmp", &kind), -EISDIR);
    assert_int_equal(kind, IMAGE_FERRY);
    assert_false(kind_is_linux("/nonexistent/vmlinuz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vmlinux_says_so_in_a_note),
        cmocka_unit_test(ferrys_own_note_is_enough),
        cmocka_unit_test(a_bzimage_has_a_flag_and_a_word),
        cmocka_unit_test(a_cut_or_damaged_file_is_nobodys),
        cmocka_unit_test(what_cannot_be_read_is_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
