/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/modules.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/elf.h"
#include "linux/firmware.h"
#include "linux/pack.h"
#include "util/log.h"

#define MODULE_SIZE_MAX (64u << 20)
#define MODULES_MAX 256
#define DEPTH_MAX 16

int modules_version_order(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            char *a_end, *b_end;
            unsigned long long x = strtoull(a, &a_end, 10), y = strtoull(b, &b_end, 10);

            if (x != y)
                return x < y ? -1 : 1;
            a = a_end;
            b = b_end;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return *a ? 1 : *b ? -1 : 0;
}

static bool has_kernel(const struct root *root, const char *version)
{
    char path[FILES_PATH_SIZE];

    snprintf(path, sizeof(path), "/boot/vmlinuz-%s", version);
    return root_has(root, path);
}

int modules_newest(const struct root *root, char version_r[128])
{
    char path[FILES_PATH_SIZE + 16], newest[128] = "";
    struct dirent *entry;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/lib/modules", root->path);
    dir = opendir(path);
    if (!dir)
        return -errno;
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strlen(entry->d_name) < sizeof(newest) &&
            has_kernel(root, entry->d_name) &&
            (!newest[0] || modules_version_order(entry->d_name, newest) > 0))
            snprintf(newest, sizeof(newest), "%.127s", entry->d_name);
    closedir(dir);
    if (!newest[0])
        return -ENOENT;
    snprintf(version_r, 128, "%s", newest);
    return 0;
}

int modules_open(const struct root *root, const char *version, struct modules *modules_r)
{
    static const char *const no_configuration[] = { NULL };
    char path[FILES_PATH_SIZE], real[FILES_PATH_SIZE], whole[2 * FILES_PATH_SIZE];
    int err;

    *modules_r = (struct modules){ .root = *root };
    if (strchr(version, '/') || version[0] == '.' ||
        strlen(version) >= sizeof(modules_r->version)) {
        log_line("'%.80s' is no kernel version; `ls %s/lib/modules` shows them", version,
                 root->path);
        return -EINVAL;
    }
    snprintf(modules_r->version, sizeof(modules_r->version), "%s", version);
    snprintf(path, sizeof(path), "/lib/modules/%s", version);
    err = root_resolve(root, path, real);
    if (!err) {
        snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep.bin", version);
        err = root_has(root, path) ? 0 : -ENOENT;
    }
    if (err) {
        log_line("%s/lib/modules/%s has no list of modules (modules.dep.bin): %s; install the "
                 "kernel's package, or run `depmod %s`",
                 root->path, version, strerror(-err), version);
        return err;
    }
    snprintf(whole, sizeof(whole), "%s%s", root->path, real);
    modules_r->ctx = kmod_new(whole, no_configuration);
    if (!modules_r->ctx)
        return -ENOMEM;
    kmod_set_log_priority(modules_r->ctx, 0);
    modules_r->files = calloc(MODULES_MAX, sizeof(*modules_r->files));
    return modules_r->files ? 0 : -ENOMEM;
}

void modules_close(struct modules *modules)
{
    for (size_t i = 0; i < modules->nr; i++)
        free(modules->files[i]);
    free(modules->files);
    if (modules->ctx)
        kmod_unref(modules->ctx);
    *modules = (struct modules){ 0 };
}

static int file_add(struct modules *modules, const char *path)
{
    size_t before = strlen(modules->root.path);

    if (strncmp(path, modules->root.path, before) != 0)
        return -EXDEV;
    path += before;
    for (size_t i = 0; i < modules->nr; i++)
        if (strcmp(modules->files[i], path) == 0)
            return 0;
    if (modules->nr == MODULES_MAX)
        return -E2BIG;
    modules->files[modules->nr] = strdup(path);
    if (!modules->files[modules->nr])
        return -ENOMEM;
    modules->nr++;
    return 0;
}

static int module_add(struct modules *modules, struct kmod_module *module, unsigned int depth);

static int list_add(struct modules *modules, struct kmod_list *list, unsigned int depth)
{
    struct kmod_list *item;
    int err = 0;

    kmod_list_foreach(item, list)
    {
        struct kmod_module *module = kmod_module_get_module(item);

        if (!err)
            err = module_add(modules, module, depth);
        kmod_module_unref(module);
    }
    return err;
}

/* What it needs, what it wishes to come before (softdep), itself, what it wishes to come after. */
static int module_add(struct modules *modules, struct kmod_module *module, unsigned int depth)
{
    const char *path = kmod_module_get_path(module);
    struct kmod_list *needs, *before = NULL, *after = NULL;
    int err;

    if (!path)
        return 0; /* built in */
    if (depth > DEPTH_MAX)
        return -ELOOP;
    kmod_module_get_softdeps(module, &before, &after);
    needs = kmod_module_get_dependencies(module);
    err = list_add(modules, before, depth + 1);
    if (!err)
        err = list_add(modules, needs, depth + 1);
    if (!err)
        err = file_add(modules, path);
    if (!err)
        err = list_add(modules, after, depth + 1);
    kmod_module_unref_list(needs);
    kmod_module_unref_list(before);
    kmod_module_unref_list(after);
    return err;
}

int modules_want(struct modules *modules, const char *name, const char *whom)
{
    struct kmod_list *found = NULL;
    int err = kmod_module_new_from_lookup(modules->ctx, name, &found);

    if (!err && !found) {
        log_line("%s: kernel %s has no driver for it%s", whom, modules->version,
                 strchr(name, ':') ? "; take another kernel (--kernel), or install the package "
                                     "with its driver"
                                   : "; `modinfo` says which modules there are");
        return -ENOENT;
    }
    if (!err)
        err = list_add(modules, found, 0);
    if (err)
        log_line("%s: the modules of kernel %s: %s", whom, modules->version, strerror(-err));
    kmod_module_unref_list(found);
    return err;
}

/* "/lib/modules/V/kernel/net/bridge/bridge.ko.xz" -> "bridge.ko" */
static void name_of(const char *file, char *name, size_t size)
{
    const char *slash = strrchr(file, '/');
    char *end;

    snprintf(name, size, "%s", slash ? slash + 1 : file);
    end = strstr(name, ".ko");
    if (end)
        end[3] = '\0';
}

static int infos_use(struct modules *modules, struct kmod_module *module, const char *name,
                     struct tree *tree)
{
    struct kmod_list *infos = NULL, *item;
    struct firmware firmware;
    bool fits = false;
    int err = kmod_module_get_info(module, &infos);

    if (err < 0) {
        log_line("module %s: %s; is the file whole?", name, strerror(-err));
        return err;
    }
    err = 0;
    firmware_begin(&firmware, &modules->root, modules->version, tree);
    kmod_list_foreach(item, infos)
    {
        const char *key = kmod_module_info_get_key(item);
        const char *value = kmod_module_info_get_value(item);
        size_t len = strlen(modules->version);

        if (strcmp(key, "vermagic") == 0)
            fits = strncmp(value, modules->version, len) == 0 &&
                   (value[len] == ' ' || value[len] == '\0');
        if (!err && strcmp(key, "firmware") == 0)
            err = firmware_want(&firmware, value);
    }
    firmware_end(&firmware, name);
    modules->nr_firmware_missing += firmware.nr_missing;
    kmod_module_info_free_list(infos);
    if (!err && !fits) {
        log_line("module %s is of another version than kernel %s; reinstall the kernel's package",
                 name, modules->version);
        err = -EINVAL;
    }
    return err;
}

static int file_place(struct modules *modules, const char *file, const char *name,
                      struct tree *tree)
{
    char *packed = NULL, *data = NULL, path[FILES_PATH_SIZE];
    size_t packed_len, len;
    const char *why = "";
    int err = root_read(&modules->root, file, MODULE_SIZE_MAX, &packed, &packed_len);

    if (!err)
        err = pack_undo(packed, packed_len, MODULE_SIZE_MAX, &data, &len, &why);
    if (!err && !elf_is(data, len)) {
        err = -EINVAL;
        why = "is no module";
        free(data);
    }
    if (err)
        log_line("%s%s: %s%s%s", modules->root.path, file, strerror(-err), *why ? ": " : "", why);
    free(packed);
    if (err)
        return err;
    snprintf(path, sizeof(path), "usr/lib/modules/%s", name);
    return tree_file(tree, path, 0644, data, len, file);
}

static int one_place(struct modules *modules, const char *file, const char *name, struct tree *tree)
{
    char whole[2 * FILES_PATH_SIZE];
    struct kmod_module *module;
    int err;

    snprintf(whole, sizeof(whole), "%s%s", modules->root.path, file);
    err = kmod_module_new_from_path(modules->ctx, whole, &module);
    if (err < 0) {
        log_line("%s: %s; reinstall the kernel's package, or run `depmod %s`", whole,
                 strerror(-err), modules->version);
        return err;
    }
    err = file_place(modules, file, name, tree);
    if (!err)
        err = infos_use(modules, module, name, tree);
    kmod_module_unref(module);
    return err;
}

int modules_place(struct modules *modules, struct tree *tree)
{
    char *list = calloc(MODULES_MAX, 128);
    size_t used = 0;
    int err = list ? 0 : -ENOMEM;

    for (size_t i = 0; !err && i < modules->nr; i++) {
        char name[100];

        name_of(modules->files[i], name, sizeof(name));
        err = one_place(modules, modules->files[i], name, tree);
        used += (size_t)sprintf(list + used, "%s\n", name);
    }
    if (!err)
        return tree_file(tree, "etc/ferry/modules", 0644, list, used, NULL);
    free(list);
    return err;
}
