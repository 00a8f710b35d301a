/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image_parse(): what is taken lies within the file. Inputs are changes of an image that is good: a first byte says whether
 * the rest is a file as it is, or triples of two bytes of an offset and one of a value.
 */
#include <elf.h>
#include <errno.h>

#include "image/image.h"

#include "fuzz.h"

#define FILE_LEN 4096
#define NOTE_AT 512
#define DATA_AT 1024

static uint8_t good[FILE_LEN];

static void good_make(void)
{
    Elf64_Ehdr *header = (Elf64_Ehdr *)good;
    Elf64_Phdr *ph = (Elf64_Phdr *)(good + sizeof(*header));
    Elf64_Nhdr *note = (Elf64_Nhdr *)(good + NOTE_AT);

    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = ELFCLASS64;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_ident[EI_VERSION] = EV_CURRENT;
    header->e_type = ET_EXEC;
    header->e_machine = EM_X86_64;
    header->e_version = EV_CURRENT;
    header->e_phoff = sizeof(*header);
    header->e_phentsize = sizeof(*ph);
    header->e_phnum = 2;
    header->e_ehsize = sizeof(*header);
    ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
                          .p_offset = DATA_AT,
                          .p_vaddr = 0x100000,
                          .p_filesz = 2048,
                          .p_memsz = 8192 };
    ph[1] = (Elf64_Phdr){ .p_type = PT_NOTE,
                          .p_offset = NOTE_AT,
                          .p_filesz = sizeof(*note) + 8 + sizeof(struct ferry_image) };
    *note = (Elf64_Nhdr){ .n_namesz = 6,
                          .n_descsz = sizeof(struct ferry_image),
                          .n_type = FERRY_NOTE_IMAGE };
    memcpy(note + 1, "Ferry", 6);
    *(struct ferry_image *)((uint8_t *)(note + 1) + 8) =
        (struct ferry_image){ .version = FERRY_IMAGE_VERSION,
                              .restart_entry = 0x100010,
                              .trap_stubs = 0x100100,
                              .status = 0x103000,
                              .text_start = 0x100000,
                              .text_end = 0x102000,
                              .rodata_start = 0x102000,
                              .rodata_end = 0x103000,
                              .nic_text_start = 0x101000,
                              .nic_text_end = 0x101100,
                              .image_end = 0x108000,
                              .nic_hash = 7 };
}

static void image_check(const struct image *image, const uint8_t *file, size_t len)
{
    uint8_t buffer[IMAGE_PAGE];
    const char *why = NULL;
    unsigned int sum = 0;

    FUZZ_CHECK(image->nr_segments <= IMAGE_SEGMENTS_MAX);
    for (unsigned int i = 0; i < image->nr_segments; i++) {
        const struct image_segment *s = &image->segments[i];

        FUZZ_CHECK(s->file_len <= s->mem_len && s->file_len <= len);
        FUZZ_CHECK(s->file_len == 0 || (s->data >= file && s->data + s->file_len <= file + len));
        for (uint64_t at = 0; at < s->file_len; at += IMAGE_PAGE)
            sum += image_page(image, s->va + at, buffer)[IMAGE_PAGE - 1];
    }
    (void)image_in_nic(image, sum);
    (void)image_keeps_nic(image, image);
    FUZZ_CHECK(image_fits(image, image, &why) || why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    static struct image image;
    size_t len = FILE_LEN;
    uint8_t *file;
    int err;

    if (!good[0]) {
        good_make();
        FUZZ_CHECK(image_parse(good, sizeof(good), &image) ==
                   0); /* else all that follows is of no use */
    }
    if (fuzz_u8(&input) & 1) {
        const uint8_t *bytes;

        len = fuzz_take(&input, size, &bytes);
        file = fuzz_copy(bytes, len);
    } else {
        file = fuzz_copy(good, len);
        while (input.left >= 3) {
            uint16_t at = fuzz_u16(&input);

            file[at % (DATA_AT)] = fuzz_u8(&input);
        }
    }
    err = image_parse(file, len, &image);
    FUZZ_CHECK(err == 0 || err == -ENOENT || err == -EINVAL);
    if (err == 0)
        image_check(&image, file, len);
    free(file);
    return 0;
}
