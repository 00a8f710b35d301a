/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/programs.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "linux/elf.h"
#include "util/log.h"

#define PROGRAM_SIZE_MAX (64u << 20)
#define DEPTH_MAX 32

static const char *const program_dirs[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin",
                                            "/usr/local/sbin", "/usr/local/bin",
                                            /* where Debian has what its alternatives lead to */
                                            "/usr/lib/openvswitch-switch" };
static const char *const library_dirs[] = {
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
};

/* A file's place in the image, where /bin, /sbin and /lib are links into usr/. */
static void place_of(const char *path, char place[FILES_PATH_SIZE])
{
    bool is_usr = strncmp(path, "/lib", 4) == 0 || strncmp(path, "/bin/", 5) == 0 ||
                  strncmp(path, "/sbin/", 6) == 0;

    snprintf(place, FILES_PATH_SIZE, "%s%.500s", is_usr ? "usr/" : "", path + 1);
}

static int file_take(const struct root *root, struct tree *tree, const char *path,
                     const char *place, unsigned int depth);

static int library_at(const struct root *root, struct tree *tree, const char *dir, const char *name,
                      unsigned int depth, int *err_r)
{
    char path[FILES_PATH_SIZE], place[FILES_PATH_SIZE];

    snprintf(path, sizeof(path), "%.300s/%.200s", dir, name);
    if (!root_has(root, path))
        return 0;
    place_of(path, place);
    *err_r = file_take(root, tree, path, place, depth);
    return 1;
}

static int library_take(const struct root *root, struct tree *tree, const char *name,
                        const char *runpath, const char *whom, unsigned int depth)
{
    int err = 0;

    if (depth > DEPTH_MAX)
        return -ELOOP;
    while (runpath && *runpath) {
        size_t len = strcspn(runpath, ":");
        char dir[FILES_PATH_SIZE];

        snprintf(dir, sizeof(dir), "%.*s", (int)(len < 300 ? len : 300), runpath);
        if (dir[0] == '/' && library_at(root, tree, dir, name, depth, &err))
            return err;
        runpath += len + (runpath[len] == ':');
    }
    for (size_t i = 0; i < sizeof(library_dirs) / sizeof(library_dirs[0]); i++)
        if (library_at(root, tree, library_dirs[i], name, depth, &err))
            return err;
    log_line("%s%s needs the library %s, which is nowhere; is its package whole?", root->path, whom,
             name);
    return -ENOENT;
}

static int needs_take(const struct root *root, struct tree *tree, const char *whom,
                      const char *data, size_t len, unsigned int depth)
{
    struct elf_needs needs;
    int err = elf_needs(data, len, &needs);

    if (err)
        log_line("%s%s: is a damaged program or library", root->path, whom);
    if (!err && needs.interpreter) {
        char place[FILES_PATH_SIZE];

        place_of(needs.interpreter, place);
        err = file_take(root, tree, needs.interpreter, place, depth + 1);
    }
    for (size_t i = 0; !err && i < needs.nr; i++)
        err = library_take(root, tree, needs.libraries[i], needs.runpath, whom, depth + 1);
    return err;
}

static int file_take(const struct root *root, struct tree *tree, const char *path,
                     const char *place, unsigned int depth)
{
    char real[FILES_PATH_SIZE], *data;
    const struct tree_node *node;
    size_t len;
    int err;

    if (tree_find(tree, place))
        return 0;
    err = root_resolve(root, path, real);
    if (!err)
        err = root_read(root, real, PROGRAM_SIZE_MAX, &data, &len);
    if (!err)
        err = tree_file(tree, place, 0755, data, len, real);
    if (err) {
        log_line("%s%s: %s", root->path, path, strerror(-err));
        return err;
    }
    node = tree_find(tree, place);
    data = node->data; /* stays where it is while other nodes come and go */
    return elf_is(data, node->len) ? needs_take(root, tree, real, data, node->len, depth) : 0;
}

static bool find(const struct root *root, const char *name, char path[FILES_PATH_SIZE])
{
    char pattern[2 * FILES_PATH_SIZE];
    glob_t found;
    bool is_there = false;

    for (size_t i = 0; i < sizeof(program_dirs) / sizeof(program_dirs[0]); i++) {
        snprintf(path, FILES_PATH_SIZE, "%s/%.200s", program_dirs[i], name);
        /* Debian's /usr/sbin/xl is a script that looks for the one of the Xen that runs. */
        if (strcmp(name, "xl") != 0 && root_has(root, path))
            return true;
    }
    snprintf(pattern, sizeof(pattern), "%s/usr/lib/xen-*/bin/%s", root->path, name);
    if (glob(pattern, 0, NULL, &found) == 0) {
        snprintf(path, FILES_PATH_SIZE, "%.500s",
                 found.gl_pathv[found.gl_pathc - 1] + strlen(root->path));
        is_there = true;
        globfree(&found);
    }
    if (!is_there && strcmp(name, "xl") == 0) {
        snprintf(path, FILES_PATH_SIZE, "/usr/sbin/xl");
        is_there = root_has(root, path);
    }
    return is_there;
}

bool programs_has(const struct root *root, const char *name)
{
    char path[FILES_PATH_SIZE];

    return find(root, name, path);
}

int programs_add(const struct root *root, struct tree *tree, const char *name, const char *package)
{
    char path[FILES_PATH_SIZE], place[FILES_PATH_SIZE];

    if (!find(root, name, path)) {
        log_line("there is no program %s%s%s: `apt install %s`", name, *root->path ? " in " : "",
                 root->path, package);
        return -ENOENT;
    }
    snprintf(place, sizeof(place), "usr/bin/%s", name);
    return file_take(root, tree, path, place, 0);
}

int programs_file_add(const struct root *root, struct tree *tree, const char *path)
{
    char place[FILES_PATH_SIZE];

    place_of(path, place);
    return file_take(root, tree, path, place, 0);
}

int programs_dir_add(const struct root *root, struct tree *tree, const char *path,
                     const char *package)
{
    char whole[2 * FILES_PATH_SIZE], file[2 * FILES_PATH_SIZE];
    struct dirent *entry;
    struct stat st;
    int err = 0;
    DIR *dir;

    snprintf(whole, sizeof(whole), "%s%s", root->path, path);
    dir = opendir(whole);
    if (!dir) {
        err = -errno;
        log_line("%s: %s: `apt install %s`", whole, strerror(-err), package);
        return err;
    }
    while (!err && (entry = readdir(dir))) {
        snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
            S_ISREG(st.st_mode))
            err = programs_file_add(root, tree, file);
    }
    closedir(dir);
    return err;
}
