/* SPDX-License-Identifier: BSD-2-Clause */
/* What `ferry image linux` runs: makes a Linux driver domain's kernel and ramdisk. A program of its own, so that the tools that
 * bring domains back need neither libarchive nor libkmod. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "linux/contents.h"
#include "linux/manifest.h"
#include "linux/pack.h"
#include "linux/vmlinuz.h"
#include "util/files.h"
#include "util/log.h"

#define SPARE_BYTES (1u << 20)

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE }; /* ferry's (cli/command.h) */

struct request {
    struct contents contents;
    const char *kernel, *root, *out;
    bool is_plain;
};

struct made {
    char *vmlinux, *initrd, *manifest;
    size_t vmlinux_len, initrd_len, manifest_len;
};

static const char usage_text[] =
    "usage: ferry image linux (--nic BDF | --disk BDF | --drivers NAME,...) ... "
    "[--disks] [--kernel VERSION]\n"
    "                         [--scripts] [--ovs] [--nft] [--root DIR] [-o DIR]\n";

static const char help_text[] =
    "\nmake the kernel and the ramdisk of a Linux driver domain from this host's own packages\n\n"
    "  --nic BDF         a card that it is to drive; its driver is found by the card (several "
    "times)\n"
    "  --disk BDF        a storage controller whose disks it is to serve (several times)\n"
    "  --drivers A,B     drivers by their names\n"
    "  --disks           disks are served, by drivers that --drivers names\n"
    "  --kernel VERSION  which of /lib/modules; else the newest that has a kernel in /boot\n"
    "  --scripts         with `xl devd` and this host's scripts and hooks for vifs\n"
    "  --ovs             with Open vSwitch\n"
    "  --nft             with nftables and iptables\n"
    "  --root DIR        take everything from the tree there, not from this host\n"
    "  -o, --output DIR  where vmlinux, initrd and manifest go\n";

static int drivers_take(struct contents *contents, char *list)
{
    char *save;

    for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (contents->nr_drivers == CONTENTS_NICS_MAX)
            return -E2BIG;
        contents->drivers[contents->nr_drivers++] = name;
    }
    return 0;
}

/* Returns -1 to go on, or an exit code. */
static int words_parse(int argc, char **argv, struct request *request)
{
    static const struct option options[] = { { "nic", required_argument, NULL, 'n' },
                                             { "drivers", required_argument, NULL, 'd' },
                                             { "kernel", required_argument, NULL, 'k' },
                                             { "ovs", no_argument, NULL, 'v' },
                                             { "nft", no_argument, NULL, 't' },
                                             { "root", required_argument, NULL, 'r' },
                                             { "output", required_argument, NULL, 'o' },
                                             { "plain", no_argument, NULL, 'p' },
                                             { "scripts", no_argument, NULL, 'S' },
                                             { "disk", required_argument, NULL, 's' },
                                             { "disks", no_argument, NULL, 'b' },
                                             { "help", no_argument, NULL, 'h' },
                                             { 0 } };
    struct contents *contents = &request->contents;
    int option, err = 0;

    while (!err && (option = getopt_long(argc, argv, "o:h", options, NULL)) >= 0) {
        if (option == 'h') {
            printf("%s%s", usage_text, help_text);
            return EXIT_OK;
        }
        if (option == 'n' && contents->nr_nics < CONTENTS_NICS_MAX)
            contents->nics[contents->nr_nics++] = optarg;
        else if (option == 'd')
            err = drivers_take(contents, optarg);
        else if (option == 's' && contents->nr_disks < CONTENTS_NICS_MAX)
            contents->disks[contents->nr_disks++] = optarg;
        else if (option == 'b')
            contents->has_disks = true;
        else if (option == 'k')
            request->kernel = optarg;
        else if (option == 'S')
            contents->has_scripts = true;
        else if (option == 'v')
            contents->has_scripts = contents->has_ovs = true;
        else if (option == 't')
            contents->has_scripts = contents->has_nft = true;
        else if (option == 'r')
            request->root = optarg;
        else if (option == 'o')
            request->out = optarg;
        else if (option == 'p')
            request->is_plain = true;
        else
            err = -EINVAL;
    }
    if (err || optind != argc) {
        fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    contents->has_disks = contents->has_disks || contents->nr_disks;
    if (!contents->nr_nics && !contents->nr_disks && !contents->nr_drivers) {
        log_line("which card? --nic BDF or --disk BDF (`lspci` shows them), or --drivers NAME");
        fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    return -1;
}

/* A directory and those above it. */
static int dirs_make(const char *path)
{
    char part[FILES_PATH_SIZE];

    if (strlen(path) >= sizeof(part))
        return -ENAMETOOLONG;
    for (const char *at = path; *at; at += strcspn(at, "/")) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        snprintf(part, sizeof(part), "%.*s", (int)(at - path), path);
        if (mkdir(part, 0755) && errno != EEXIST)
            return -errno;
    }
    return 0;
}

static int room_look(const char *dir, const struct made *made)
{
    size_t wanted = made->vmlinux_len + made->initrd_len + made->manifest_len + SPARE_BYTES;
    struct statvfs fs;

    if (statvfs(dir, &fs) == 0 && (unsigned long long)fs.f_bavail * fs.f_frsize < wanted) {
        log_line("%s: %zu MB are needed, and %llu MB are free; make room, or take another "
                 "directory (-o)",
                 dir, (wanted >> 20) + 1, (unsigned long long)fs.f_bavail * fs.f_frsize >> 20);
        return -ENOSPC;
    }
    return 0;
}

static const char *const names[] = { "vmlinux", "initrd", "manifest" };
#define NAMES (sizeof(names) / sizeof(names[0]))

/* NAME, or what lies beside it until all are there. */
static void path_make(const char *dir, size_t i, bool is_new, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%.400s/%s%s", dir, names[i], is_new ? ".new" : "");
}

static void new_drop(const char *dir)
{
    char path[FILES_PATH_SIZE];

    for (size_t i = 0; i < NAMES; i++) {
        path_make(dir, i, true, path);
        unlink(path);
    }
}

/* What was made before kernels were written unpacked: beside the modules of a newer one it would start without any. */
static void packed_drop(const char *dir)
{
    char path[FILES_PATH_SIZE];

    snprintf(path, sizeof(path), "%.400s/vmlinuz", dir);
    if (unlink(path) == 0)
        log_line("%s is gone: configurations name %.400s/vmlinux from now on", path, dir);
}

/* A kernel beside the modules of another one would not start: all three are written before the first is replaced. */
static int all_replace(const char *dir, const struct made *made)
{
    const char *const data[NAMES] = { made->vmlinux, made->initrd, made->manifest };
    const size_t lens[NAMES] = { made->vmlinux_len, made->initrd_len, made->manifest_len };
    char next[FILES_PATH_SIZE], path[FILES_PATH_SIZE];
    int err = 0;

    for (size_t i = 0; !err && i < NAMES; i++) {
        path_make(dir, i, true, next);
        err = files_write(next, data[i], lens[i]);
        if (err)
            log_line("%s: %s%s", next, strerror(-err), files_todo(err));
    }
    for (size_t i = 0; !err && i < NAMES; i++) {
        path_make(dir, i, true, next);
        path_make(dir, i, false, path);
        if (rename(next, path)) {
            err = -errno;
            log_line("%s: %s", path, strerror(-err));
        }
    }
    if (err)
        new_drop(dir);
    else
        packed_drop(dir);
    return err;
}

static int all_write(const char *dir, const struct made *made)
{
    int err = dirs_make(dir);

    if (err) {
        log_line("%s: %s", dir, strerror(-err));
        return err;
    }
    err = room_look(dir, made);
    return err ? err : all_replace(dir, made);
}

/* The file as it is, after a look at its header. */
static int kernel_read(const struct root *root, const char *version, char path[FILES_PATH_SIZE],
                       char **file_r, size_t *len_r)
{
    struct vmlinuz vmlinuz;
    const char *why;
    int err;

    snprintf(path, FILES_PATH_SIZE, "/boot/vmlinuz-%.200s", version);
    err = root_read(root, path, VMLINUZ_SIZE_MAX, file_r, len_r);
    if (err) {
        log_line("%s%s: %s; install the kernel's package, or name another kernel (--kernel)",
                 root->path, path, strerror(-err));
        return err;
    }
    err = vmlinuz_parse(*file_r, *len_r, &vmlinuz, &why);
    if (err) {
        log_line("%s%s: %s", root->path, path, why);
    } else if (strcmp(vmlinuz.version, version) != 0) {
        log_line(
            "%s%s: is kernel %.100s, not %s: its modules would not fit; reinstall the kernel's "
            "package",
            root->path, path, vmlinuz.version, version);
        err = -EINVAL;
    }
    return err;
}

static int manifest_write(const struct root *root, const char *version, const struct tree *tree,
                          struct made *made)
{
    char head[512];

    snprintf(head, sizeof(head),
             "ferry %s, image of a Linux driver domain\nkernel %s\n"
             "%10zu  vmlinux\n%10zu  initrd, %zu unpacked:\n",
             FERRY_VERSION, version, made->vmlinux_len, made->initrd_len, tree_size(tree));
    return manifest_make(root, tree, head, &made->manifest, &made->manifest_len);
}

/* What is quick, and most often wrong, comes first. */
static int image_make(const struct request *request, const struct root *root, const char *version,
                      struct made *made)
{
    struct modules modules;
    struct tree tree = { 0 };
    char path[FILES_PATH_SIZE], *kernel = NULL;
    const char *why = NULL;
    size_t kernel_len;
    /* A small one is there sooner as it is. */
    bool is_plain = request->is_plain || !request->contents.has_scripts;
    int err = modules_open(root, version, &modules);

    if (!err)
        err = kernel_read(root, version, path, &kernel, &kernel_len);
    if (!err)
        err = contents_collect(&request->contents, root, &modules, &tree);
    if (!err) {
        err = vmlinuz_unpack(kernel, kernel_len, &made->vmlinux, &made->vmlinux_len, &why);
        if (err)
            log_line("%s%s: %s", root->path, path, why ? why : strerror(-err));
    }
    if (!err) {
        err = pack_cpio(&tree, is_plain ? PACK_PLAIN : PACK_ZSTD, &made->initrd, &made->initrd_len,
                        &why);
        if (err)
            log_line("packing the ramdisk: %s", why ? why : strerror(-err));
    }
    if (!err)
        err = manifest_write(root, version, &tree, made);
    if (!err)
        printf("kernel %s, %zu modules, %zu files, %.1f MB unpacked\n", version, modules.nr,
               tree.nr, (double)tree_size(&tree) / 1e6);
    free(kernel);
    tree_dispose(&tree);
    modules_close(&modules);
    return err;
}

static int run(const struct request *request)
{
    struct made made = { 0 };
    struct root root;
    char version[128];
    int err = root_open(request->root, &root);

    if (err) {
        log_line("--root %s: %s", request->root, strerror(-err));
        return err;
    }
    if (request->kernel) {
        snprintf(version, sizeof(version), "%.127s", request->kernel);
    } else {
        err = modules_newest(&root, version);
        if (err)
            log_line("%s/lib/modules has no kernel with a /boot/vmlinuz-VERSION: %s; install a "
                     "kernel's package",
                     root.path, strerror(-err));
    }
    if (!err)
        err = image_make(request, &root, version, &made);
    if (!err)
        err = all_write(request->out, &made);
    if (!err)
        printf("%s/vmlinux %.1f MB, %s/initrd %.1f MB\n", request->out,
               (double)made.vmlinux_len / 1e6, request->out, (double)made.initrd_len / 1e6);
    free(made.vmlinux);
    free(made.initrd);
    free(made.manifest);
    root_close(&root);
    return err;
}

int main(int argc, char **argv)
{
    char out[FILES_PATH_SIZE], init[FILES_PATH_SIZE], vif[FILES_PATH_SIZE], block[FILES_PATH_SIZE];
    struct request request = { .root = "/",
                               .out = out,
                               .contents = { .init = init, .vif = vif, .block = block } };
    int code;

    files_standard_open();
    snprintf(out, sizeof(out), "%.400s/images/linux", files_state_dir());
    snprintf(init, sizeof(init), "%.400s/linux-init", files_kernel_dir());
    snprintf(vif, sizeof(vif), "%.400s/linux-vif", files_kernel_dir());
    snprintf(block, sizeof(block), "%.400s/linux-block", files_kernel_dir());
    code = words_parse(argc, argv, &request);
    if (code >= 0)
        return code;
    return run(&request) ? EXIT_FAILED : EXIT_OK;
}
