/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel images: the note, bounds of a damaged file, pages, and what goes on in place of what. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/image.h"

struct note_file {
    Elf64_Nhdr header;
    char name[8];
    struct ferry_image image;
} __attribute__((packed));

/* A header, three program headers, a note, two pages of text. */
struct file {
    Elf64_Ehdr header;
    Elf64_Phdr programs[3];
    struct note_file other, note;
    char text[5000];
};

static struct file file_make(void)
{
    struct file file = {
        .header = { .e_machine = EM_X86_64,
                    .e_phoff = offsetof(struct file, programs),
                    .e_phentsize = sizeof(Elf64_Phdr),
                    .e_phnum = 3 },
        .programs = { { .p_type = PT_LOAD,
                        .p_offset = offsetof(struct file, text),
                        .p_vaddr = 0x100000,
                        .p_filesz = 5000,
                        .p_memsz = 0x2000 },
                      { .p_type = PT_LOAD, .p_vaddr = 0x102000, .p_memsz = 0x3000 },
                      { .p_type = PT_NOTE,
                        .p_offset = offsetof(struct file, other),
                        .p_filesz = 2 * sizeof(struct note_file) } },
        .other = { { 4, sizeof(struct ferry_image), 1 }, "Xen", { 0 } },
        .note = { { 6, sizeof(struct ferry_image), FERRY_NOTE_IMAGE },
                  FERRY_NOTE_NAME,
                  { .version = FERRY_IMAGE_VERSION,
                    .recovery_version = 7,
                    .restart_entry = 0x100010,
                    .trap_stubs = 0x100400,
                    .status = 0x104000,
                    .text_start = 0x100000,
                    .text_end = 0x102000,
                    .rodata_start = 0x102000,
                    .rodata_end = 0x103000,
                    .nic_text_start = 0x100800,
                    .nic_text_end = 0x100900,
                    .image_end = 0x105000,
                    .nic_hash = 5 } },
    };

    memcpy(file.header.e_ident, ELFMAG, SELFMAG);
    file.header.e_ident[EI_CLASS] = ELFCLASS64;
    file.header.e_ident[EI_DATA] = ELFDATA2LSB;
    /* "Xen" takes 4 bytes, so what follows it moves up by 4. */
    memmove((char *)&file.other + 16, &file.other.image, sizeof(struct ferry_image));
    memmove((char *)&file.other + 16 + sizeof(struct ferry_image), &file.note, sizeof(file.note));
    memset(file.text, 0x5a, sizeof(file.text));
    return file;
}

static void the_note_is_found_behind_others(void **state)
{
    struct file file = file_make();
    struct image image;

    (void)state;
    assert_int_equal(image_parse(&file, sizeof(file), &image), 0);
    assert_int_equal(image.note.recovery_version, 7);
    assert_int_equal(image.nr_segments, 2);
    assert_true(image_in_nic(&image, 0x100800));
    assert_false(image_in_nic(&image, 0x100900));
}

static void pages_end_in_zeros(void **state)
{
    struct file file = file_make();
    uint8_t buffer[IMAGE_PAGE];
    const uint8_t *page;
    struct image image;

    (void)state;
    assert_int_equal(image_parse(&file, sizeof(file), &image), 0);
    page = image_page(&image, 0x100000, buffer);
    assert_ptr_equal(page, file.text);
    assert_int_equal(page[4095], 0x5a);
    page = image_page(&image, 0x101000, buffer);
    assert_int_equal(page[5000 - 4096 - 1], 0x5a);
    assert_int_equal(page[5000 - 4096], 0);
    page = image_page(&image, 0x103000, buffer);
    assert_int_equal(page[0], 0);
}

/* Each cut, on the heap so that a sanitizer sees reads behind its end. */
static void a_cut_file_is_refused(void **state)
{
    struct file file = file_make();
    struct image image;

    (void)state;
    for (size_t len = 0; len < sizeof(file); len += len < 700 ? 1 : 97) {
        char *copy = malloc(len ? len : 1);

        memcpy(copy, &file, len);
        assert_int_not_equal(image_parse(copy, len, &image), 0);
        free(copy);
    }
}

/* Any byte of the headers may be anything: refused, or read within bounds. */
static void a_damaged_file_leads_nowhere(void **state)
{
    struct file file = file_make(), *copy = malloc(sizeof(file));
    uint8_t page[IMAGE_PAGE];

    (void)state;
    for (size_t at = 0; at < offsetof(struct file, text); at++) {
        for (unsigned int value = 0; value < 256; value += 51) {
            struct image image;

            *copy = file;
            ((uint8_t *)copy)[at] = (uint8_t)value;
            if (image_parse(copy, sizeof(*copy), &image) == 0)
                for (uint64_t va = 0xff000; va < 0x107000; va += IMAGE_PAGE)
                    image_page(&image, va, page);
        }
    }
    free(copy);
}

static void a_note_out_of_bounds_is_refused(void **state)
{
    static const size_t fields[] = {
        offsetof(struct ferry_image, restart_entry), offsetof(struct ferry_image, trap_stubs),
        offsetof(struct ferry_image, status),        offsetof(struct ferry_image, text_end),
        offsetof(struct ferry_image, rodata_end),    offsetof(struct ferry_image, image_end),
        offsetof(struct ferry_image, nic_text_end)
    };
    struct file file = file_make();
    struct image image;

    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct file copy = file;
        uint64_t wild = 0x7ffffffff0000ull;

        memcpy((char *)&copy.other + 16 + sizeof(struct ferry_image) +
                   offsetof(struct note_file, image) + fields[i],
               &wild, sizeof(wild));
        assert_int_equal(image_parse(&copy, sizeof(copy), &image), -EINVAL);
    }
}

static void without_the_note_it_is_another_kernel(void **state)
{
    struct file file = file_make();
    struct image image;

    (void)state;
    file.programs[2].p_filesz = 16 + sizeof(struct ferry_image);
    assert_int_equal(image_parse(&file, sizeof(file), &image), -ENOENT);
}

static void only_the_same_layout_goes_on_in_place(void **state)
{
    struct image a = { .note = { .recovery_version = 1,
                                 .status = 0x1000,
                                 .text_end = 0x3000,
                                 .rodata_end = 0x4000,
                                 .image_end = 0x9000,
                                 .nic_hash = 3 } };
    struct image b = a;
    const char *why = NULL;

    (void)state;
    assert_true(image_fits(&a, &b, &why));
    assert_true(image_keeps_nic(&a, &b));
    b.note.nic_hash = 4;
    assert_true(image_fits(&a, &b, &why));
    assert_false(image_keeps_nic(&a, &b));
    b.note.image_end = 0x8000;
    assert_true(image_fits(&a, &b, &why));
    b.note.image_end = 0xa000;
    assert_false(image_fits(&a, &b, &why));
    assert_non_null(strstr(why, "larger"));
    b = a;
    b.note.recovery_version = 2;
    assert_false(image_fits(&a, &b, &why));
    b = a;
    b.note.rodata_end += 0x1000;
    assert_false(image_fits(&a, &b, &why));
    b = a;
    b.note.nic_hash = a.note.nic_hash = 0;
    assert_false(image_keeps_nic(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_note_is_found_behind_others),
        cmocka_unit_test(pages_end_in_zeros),
        cmocka_unit_test(a_cut_file_is_refused),
        cmocka_unit_test(a_damaged_file_leads_nowhere),
        cmocka_unit_test(a_note_out_of_bounds_is_refused),
        cmocka_unit_test(without_the_note_it_is_another_kernel),
        cmocka_unit_test(only_the_same_layout_goes_on_in_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
