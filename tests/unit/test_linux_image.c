/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts that make a Linux driver domain's image: kernels, programs, the tree and its packing. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "linux/elf.h"
#include "linux/firmware.h"
#include "linux/kernel.h"
#include "linux/modules.h"
#include "linux/pack.h"
#include "linux/tree.h"
#include "linux/vmlinuz.h"

#define PAYLOAD_AT (5 * 512 + 64)

/* An ELF with a dynamic section: interpreter, two libraries, a runpath; and perhaps Xen's note. */
static struct {
    Elf64_Ehdr header;
    Elf64_Phdr parts[4];
    Elf64_Dyn dynamic[6];
    char strings[64], interpreter[16];
    Elf64_Nhdr note;
    char name[4];
    uint64_t entry;
} elf;

static void elf_make(void)
{
    memset(&elf, 0, sizeof(elf));
    memcpy(elf.header.e_ident, ELFMAG, SELFMAG);
    elf.header.e_ident[EI_CLASS] = ELFCLASS64;
    elf.header.e_machine = EM_X86_64;
    elf.header.e_phoff = sizeof(elf.header);
    elf.header.e_phentsize = sizeof(Elf64_Phdr);
    elf.header.e_phnum = 4;
    elf.parts[0] = (Elf64_Phdr){
        .p_type = PT_LOAD, .p_vaddr = 0x1000, .p_filesz = sizeof(elf), .p_memsz = sizeof(elf)
    };
    elf.parts[1] = (Elf64_Phdr){ .p_type = PT_INTERP,
                                 .p_offset = offsetof(typeof(elf), interpreter),
                                 .p_filesz = sizeof(elf.interpreter) };
    elf.parts[2] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
                                 .p_offset = offsetof(typeof(elf), dynamic),
                                 .p_filesz = sizeof(elf.dynamic) };
    elf.parts[3] = (Elf64_Phdr){ .p_type = PT_NOTE,
                                 .p_offset = offsetof(typeof(elf), note),
                                 .p_filesz = sizeof(elf.note) + 12 };
    memcpy(elf.strings, "\0liba.so.1\0libb.so.2\0/opt/lib", 30);
    strcpy(elf.interpreter, "/lib64/ld.so");
    elf.dynamic[0] = (Elf64_Dyn){ DT_NEEDED, { 1 } };
    elf.dynamic[1] = (Elf64_Dyn){ DT_NEEDED, { 11 } };
    elf.dynamic[2] = (Elf64_Dyn){ DT_RUNPATH, { 21 } };
    elf.dynamic[3] = (Elf64_Dyn){ DT_STRTAB, { 0x1000 + offsetof(typeof(elf), strings) } };
    elf.note = (Elf64_Nhdr){ .n_namesz = 4, .n_descsz = 8, .n_type = 1 };
    memcpy(elf.name, "Xen", 4);
}

static void needs_of_a_program_are_found(void **state)
{
    struct elf_needs needs;

    (void)state;
    elf_make();
    assert_int_equal(elf_needs(&elf, sizeof(elf), &needs), 0);
    assert_string_equal(needs.interpreter, "/lib64/ld.so");
    assert_int_equal(needs.nr, 2);
    assert_string_equal(needs.libraries[0], "liba.so.1");
    assert_string_equal(needs.libraries[1], "libb.so.2");
    assert_string_equal(needs.runpath, "/opt/lib");
    assert_true(elf_has_xen_entry(&elf, sizeof(elf)));
}

static void damaged_programs_are_refused(void **state)
{
    struct elf_needs needs;
    char *exact;

    (void)state;
    elf_make();
    elf.dynamic[0].d_un.d_val = 1u << 30;
    assert_int_equal(elf_needs(&elf, sizeof(elf), &needs), -EINVAL);
    elf_make();
    elf.dynamic[0].d_un.d_val = UINT64_MAX;
    assert_int_equal(elf_needs(&elf, sizeof(elf), &needs), -EINVAL);
    elf_make();
    elf.parts[2].p_offset = UINT64_MAX;
    assert_int_equal(elf_needs(&elf, sizeof(elf), &needs), -EINVAL);
    elf_make();
    elf.header.e_phoff = UINT64_MAX - 8;
    assert_int_equal(elf_needs(&elf, sizeof(elf), &needs), -EINVAL);
    elf_make();
    elf.note.n_namesz = UINT32_MAX;
    assert_false(elf_has_xen_entry(&elf, sizeof(elf)));
    elf_make();
    elf.note.n_type = 2;
    assert_false(elf_has_xen_entry(&elf, sizeof(elf)));
    elf_make();
    for (size_t len = 0; len < sizeof(elf);
         len++) { /* cut off anywhere: AddressSanitizer looks on */
        exact = malloc(len ? len : 1);
        memcpy(exact, &elf, len);
        (void)elf_needs(exact, len, &needs);
        assert_false(elf_has_xen_entry(exact, len));
        free(exact);
    }
}

static char *vmlinuz_make(const void *payload, size_t payload_len, size_t *len_r)
{
    size_t len = PAYLOAD_AT + payload_len + 4;
    char *file = calloc(1, len);
    uint32_t offset = 64, length = (uint32_t)payload_len + 4;
    uint16_t protocol = 0x20f, version = 0x100;

    file[0x1f1] = 4;
    memcpy(file + 0x202, "HdrS", 4);
    memcpy(file + 0x206, &protocol, 2);
    memcpy(file + 0x20e, &version, 2);
    memcpy(file + 0x248, &offset, 4);
    memcpy(file + 0x24c, &length, 4);
    strcpy(file + 0x300, "6.1.0-9-amd64 (a@b) #1");
    memcpy(file + PAYLOAD_AT, payload, payload_len);
    *len_r = len;
    return file;
}

/* Of a segment: what Xen's domain builder puts into memory. */
static void memory_same(const char *file, size_t len, const Elf64_Phdr *was, const char *old)
{
    Elf64_Ehdr header;
    Elf64_Phdr parts[4];

    memcpy(&header, file, sizeof(header));
    assert_int_equal(header.e_phnum, 4);
    assert_int_equal(header.e_shnum, 0);
    memcpy(parts, file + header.e_phoff, sizeof(parts));
    assert_int_equal(parts[0].p_type, PT_LOAD);
    assert_int_equal(parts[0].p_vaddr, was->p_vaddr);
    assert_int_equal(parts[0].p_paddr, was->p_paddr);
    assert_int_equal(parts[0].p_memsz, was->p_memsz);
    assert_int_equal(parts[0].p_offset % 4096, 0);
    assert_true(parts[0].p_filesz <= was->p_filesz);
    assert_true(parts[0].p_offset + parts[0].p_filesz <= len);
    assert_memory_equal(file + parts[0].p_offset, old + was->p_offset, parts[0].p_filesz);
    for (size_t i = parts[0].p_filesz; i < was->p_filesz; i++)
        assert_int_equal(old[was->p_offset + i], 0);
    assert_int_equal(parts[1].p_type, PT_NULL);
    assert_int_equal(parts[2].p_type, PT_NULL);
    assert_true(elf_has_xen_entry(file, len));
}

static void a_kernel_is_unpacked_and_shrunk_and_is_the_same(void **state)
{
    static char whole[sizeof(elf) + 3 * 4096]; /* zeros of a segment, then bytes that none has */
    char *packed, *file, *made, *again;
    size_t packed_len, len, made_len, again_len;
    const char *why = NULL;

    (void)state;
    elf_make();
    elf.entry = 0x1000;
    elf.parts[0].p_filesz = elf.parts[0].p_memsz = sizeof(elf) + 2 * 4096;
    elf.header.e_shnum = 7;
    memcpy(whole, &elf, sizeof(elf));
    memset(whole + sizeof(whole) - 4096, 0x55, 4096);
    assert_int_equal(pack_zstd(whole, sizeof(whole), &packed, &packed_len, &why), 0);
    file = vmlinuz_make(packed, packed_len, &len);
    assert_int_equal(vmlinuz_unpack(file, len, &made, &made_len, &why), 0);
    memory_same(made, made_len, &elf.parts[0], whole);
    assert_true(made_len <= 4096 + sizeof(elf));
    assert_int_equal(vmlinuz_unpack(file, len, &again, &again_len, &why), 0);
    assert_int_equal(again_len, made_len);
    assert_memory_equal(again, made, made_len);
    free(packed);
    free(file);
    free(made);
    free(again);
}

static void segments_that_make_no_sense_are_refused(void **state)
{
    size_t len;
    char *made;

    (void)state;
    elf_make();
    elf.parts[0].p_memsz = sizeof(elf) - 1;
    assert_int_equal(kernel_shrink(&elf, sizeof(elf), &made, &len), -EINVAL);
    elf_make();
    elf.parts[0].p_filesz = elf.parts[0].p_memsz = sizeof(elf) + 1;
    assert_int_equal(kernel_shrink(&elf, sizeof(elf), &made, &len), -EINVAL);
    elf_make();
    elf.parts[0].p_offset = UINT64_MAX;
    assert_int_equal(kernel_shrink(&elf, sizeof(elf), &made, &len), -EINVAL);
    elf_make();
    elf.parts[0].p_filesz = 64; /* the note is in no segment */
    assert_int_equal(kernel_shrink(&elf, sizeof(elf), &made, &len), -EINVAL);
    elf_make();
    elf.parts[0].p_type = PT_NULL;
    elf.parts[3].p_type = PT_NULL;
    assert_int_equal(kernel_shrink(&elf, sizeof(elf), &made, &len), -EINVAL);
    elf_make();
    elf.header.e_phnum = 33;
    assert_int_equal(kernel_shrink(&elf, sizeof(elf), &made, &len), -EINVAL);
    elf_make();
    elf.header.e_phoff = UINT64_MAX - 8;
    assert_int_equal(kernel_shrink(&elf, sizeof(elf), &made, &len), -EINVAL);
    assert_int_equal(kernel_shrink(&elf, 10, &made, &len), -EINVAL);
}

/* The same bytes in many segments would make a file many times as long. */
static void segments_that_overlap_are_refused(void **state)
{
    static char whole[64 * 1024];
    Elf64_Ehdr header;
    size_t len;
    char *made;

    (void)state;
    elf_make();
    memset(whole, 0x55, sizeof(whole));
    header = elf.header;
    memcpy(whole, &header, sizeof(header));
    for (unsigned int i = 0; i < 4; i++) {
        Elf64_Phdr load = { .p_type = PT_LOAD,
                            .p_filesz = sizeof(whole),
                            .p_memsz = sizeof(whole) };

        memcpy(whole + header.e_phoff + i * sizeof(load), &load, sizeof(load));
    }
    assert_int_equal(kernel_shrink(whole, sizeof(whole), &made, &len), -EINVAL);
}

static void kernel_refused(char *file, size_t len, const char *wanted)
{
    char *made;
    size_t made_len;
    const char *why = NULL;

    assert_int_equal(vmlinuz_unpack(file, len, &made, &made_len, &why), -EINVAL);
    if (!why || !strstr(why, wanted))
        fail_msg("'%s' does not say '%s'", why, wanted);
}

static void kernels_that_cannot_be_used_are_refused(void **state)
{
    char *packed, *file;
    size_t packed_len, len;
    const char *why;

    (void)state;
    elf_make();
    assert_int_equal(pack_zstd(&elf, sizeof(elf), &packed, &packed_len, &why), 0);
    file = vmlinuz_make(packed, packed_len, &len);
    kernel_refused(file, 100, "HdrS");
    kernel_refused(file, len - 1, "cut off");
    file[PAYLOAD_AT + packed_len / 2] ^= 0x55;
    file[PAYLOAD_AT + packed_len / 2 + 1] ^= 0x55;
    kernel_refused(file, len, "damaged");
    file[0x202] = 'h';
    kernel_refused(file, len, "HdrS");
    free(file);
    file = vmlinuz_make("what is this?", 13, &len);
    kernel_refused(file, len, "not known");
    file[0x206] = 7;
    kernel_refused(file, len, "too old");
    free(file);
    free(packed);
    elf.note.n_type = 9;
    assert_int_equal(pack_zstd(&elf, sizeof(elf), &packed, &packed_len, &why), 0);
    file = vmlinuz_make(packed, packed_len, &len);
    kernel_refused(file, len, "PV domain");
    free(file);
    free(packed);
    elf_make();
    elf.parts[0].p_memsz = 1;
    assert_int_equal(pack_zstd(&elf, sizeof(elf), &packed, &packed_len, &why), 0);
    file = vmlinuz_make(packed, packed_len, &len);
    kernel_refused(file, len, "segments");
    memset(file + 0x300, 'x', len - 0x300);
    kernel_refused(file, len, "version");
    free(file);
    free(packed);
}

static void a_tree_is_sorted_and_has_each_path_once(void **state)
{
    struct tree tree = { 0 };

    (void)state;
    assert_int_equal(tree_file(&tree, "usr/bin/b", 0755, strdup("two"), 3, "/from"), 0);
    assert_int_equal(tree_file(&tree, "usr/bin/a", 0644, strdup("one"), 3, NULL), 0);
    assert_int_equal(tree_file(&tree, "usr/bin/a", 0644, strdup("again"), 5, NULL), 0);
    assert_int_equal(tree_link(&tree, "bin", "usr/bin"), 0);
    assert_int_equal(tree_dir(&tree, "bin"), -EEXIST);
    assert_int_equal(tree_link(&tree, "usr/bin/a/x", "y"), -EEXIST);
    for (size_t i = 1; i < tree.nr; i++)
        assert_true(strcmp(tree.nodes[i - 1].path, tree.nodes[i].path) < 0);
    assert_int_equal(tree.nr, 5); /* bin usr usr/bin usr/bin/a usr/bin/b */
    assert_int_equal(tree_find(&tree, "usr/bin/a")->len, 3);
    assert_int_equal(tree_size(&tree), 6);
    tree_dispose(&tree);
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
    static const char *const bad[] = { "", "/a", "a/", "a//b", "..", "a/../b", ".", "a/." };
    struct tree tree = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tree_dir(&tree, bad[i]), -EINVAL);
    assert_int_equal(tree.nr, 0);
    assert_int_equal(tree_dir(&tree, "a/..b/..."), 0);
    tree_dispose(&tree);
}

static void the_same_tree_gives_the_same_bytes(void **state)
{
    char *packed[2], *unpacked;
    size_t len[2], unpacked_len;
    const char *why;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tree tree = { 0 };

        /* In another order. */
        if (i)
            assert_int_equal(tree_link(&tree, "l", "usr/b"), 0);
        assert_int_equal(tree_file(&tree, "usr/b", 0755, strdup("data"), 4, NULL), 0);
        assert_int_equal(tree_device(&tree, "dev/console", 5, 1), 0);
        if (!i)
            assert_int_equal(tree_link(&tree, "l", "usr/b"), 0);
        assert_int_equal(pack_cpio(&tree, PACK_ZSTD, &packed[i], &len[i], &why), 0);
        tree_dispose(&tree);
    }
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(packed[0], packed[1], len[0]);
    assert_int_equal(pack_undo(packed[0], len[0], 1u << 20, &unpacked, &unpacked_len, &why), 0);
    assert_memory_equal(unpacked, "070701", 6);
    assert_int_equal(unpacked_len % 4, 0);
    free(packed[0]);
    free(packed[1]);
    free(unpacked);
}

static void unpacking_has_a_limit(void **state)
{
    static char zeros[1 << 20];
    char *packed, *unpacked;
    size_t len, unpacked_len;
    const char *why;

    (void)state;
    assert_int_equal(pack_zstd(zeros, sizeof(zeros), &packed, &len, &why), 0);
    assert_int_equal(pack_undo(packed, len, sizeof(zeros) - 1, &unpacked, &unpacked_len, &why),
                     -EFBIG);
    free(packed);
}

static void versions_are_ordered_by_their_numbers(void **state)
{
    (void)state;
    assert_true(modules_version_order("6.1.0-9-amd64", "6.1.0-10-amd64") < 0);
    assert_true(modules_version_order("6.10.0", "6.9.9") > 0);
    assert_true(modules_version_order("6.1.0", "6.1.0-1") < 0);
    assert_int_equal(modules_version_order("6.1.0-9-amd64", "6.1.0-9-amd64"), 0);
}

static void packages_of_firmware_are_known(void **state)
{
    (void)state;
    assert_string_equal(firmware_package("rtl_nic/rtl8168h-2.fw"), "firmware-realtek");
    assert_string_equal(firmware_package("bnx2x/bnx2x-e2.fw"), "firmware-bnx2x");
    assert_string_equal(firmware_package("bnx2/bnx2.fw"), "firmware-bnx2");
    assert_null(firmware_package("some/other.bin"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_of_a_program_are_found),
        cmocka_unit_test(damaged_programs_are_refused),
        cmocka_unit_test(a_kernel_is_unpacked_and_shrunk_and_is_the_same),
        cmocka_unit_test(segments_that_make_no_sense_are_refused),
        cmocka_unit_test(segments_that_overlap_are_refused),
        cmocka_unit_test(kernels_that_cannot_be_used_are_refused),
        cmocka_unit_test(a_tree_is_sorted_and_has_each_path_once),
        cmocka_unit_test(paths_that_lead_elsewhere_are_refused),
        cmocka_unit_test(the_same_tree_gives_the_same_bytes),
        cmocka_unit_test(unpacking_has_a_limit),
        cmocka_unit_test(versions_are_ordered_by_their_numbers),
        cmocka_unit_test(packages_of_firmware_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
