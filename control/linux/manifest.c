/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DPKG_SIZE_MAX (64u << 20)
#define PACKAGE_SIZE 160

/* The packages of the tree's nodes, by their index. */
struct owners {
    const struct tree *tree;
    char (*packages)[PACKAGE_SIZE];
};

/* dpkg may know a file by its place before /usr was merged. */
static bool is_same(const char *a, const char *b)
{
    if (strncmp(a, "/usr/", 5) == 0)
        a += 4;
    if (strncmp(b, "/usr/", 5) == 0)
        b += 4;
    return strcmp(a, b) == 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void line_take(struct owners *owners, const char *line, const char *package)
{
    const char *last = last_part(line);

    for (size_t i = 0; i < owners->tree->nr; i++) {
        const char *from = owners->tree->nodes[i].from;

        if (from && strcmp(last_part(from), last) == 0 && is_same(from, line))
            snprintf(owners->packages[i], PACKAGE_SIZE, "%s", package);
    }
}

static void list_take(struct owners *owners, const struct root *root, const char *name)
{
    char path[FILES_PATH_SIZE], package[PACKAGE_SIZE], *text, *save, *line;

    snprintf(path, sizeof(path), "/var/lib/dpkg/info/%.200s", name);
    snprintf(package, sizeof(package), "%.*s", (int)strcspn(name, ":"), name);
    if (strlen(package) > 5 && strcmp(package + strlen(package) - 5, ".list") == 0)
        package[strlen(package) - 5] = '\0';
    if (root_read(root, path, DPKG_SIZE_MAX, &text, NULL))
        return;
    for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        line_take(owners, line, package);
    free(text);
}

/* "Package: x" ... "Version: y" in /var/lib/dpkg/status. */
static void version_find(const char *status, const char *package, char *version, size_t size)
{
    char wanted[PACKAGE_SIZE + 16];
    const char *at, *end, *found;

    snprintf(wanted, sizeof(wanted), "\nPackage: %s\n", package);
    at = strstr(status, wanted);
    if (!at)
        return;
    end = strstr(at + 1, "\n\n");
    found = strstr(at, "\nVersion: ");
    if (found && (!end || found < end)) {
        found += strlen("\nVersion: ");
        snprintf(version, size, "%.*s", (int)strcspn(found, "\n"), found);
    }
}

static void owners_find(struct owners *owners, const struct root *root)
{
    char path[FILES_PATH_SIZE + 32];
    struct dirent **entries;
    int nr;

    snprintf(path, sizeof(path), "%s/var/lib/dpkg/info", root->path);
    nr = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < nr; i++) {
        size_t len = strlen(entries[i]->d_name);

        if (len > 5 && strcmp(entries[i]->d_name + len - 5, ".list") == 0)
            list_take(owners, root, entries[i]->d_name);
        free(entries[i]);
    }
    if (nr >= 0)
        free(entries);
}

static void node_print(FILE *out, const struct tree_node *node, const char *package,
                       const char *status)
{
    char version[PACKAGE_SIZE] = "";

    if (S_ISLNK(node->mode))
        fprintf(out, "%10s  /%s -> %s\n", "-", node->path, node->data);
    if (!S_ISREG(node->mode))
        return;
    if (*package && status)
        version_find(status, package, version, sizeof(version));
    fprintf(out, "%10zu  /%s  %s", node->len, node->path, node->from ? node->from : "made");
    if (*package)
        fprintf(out, "  %s %s", package, version);
    fputc('\n', out);
}

int manifest_make(const struct root *root, const struct tree *tree, const char *head, char **text_r,
                  size_t *len_r)
{
    struct owners owners = { .tree = tree, .packages = calloc(tree->nr + 1, PACKAGE_SIZE) };
    char *status = NULL;
    FILE *out = open_memstream(text_r, len_r);
    bool failed;

    if (!out || !owners.packages) {
        if (out)
            fclose(out);
        free(owners.packages);
        return -ENOMEM;
    }
    owners_find(&owners, root);
    if (root_read(root, "/var/lib/dpkg/status", DPKG_SIZE_MAX, &status, NULL))
        status = NULL;
    fputs(head, out);
    for (size_t i = 0; i < tree->nr; i++)
        node_print(out, &tree->nodes[i], owners.packages[i], status);
    failed = ferror(out);
    failed |= fclose(out) != 0;
    free(status);
    free(owners.packages);
    return failed ? -ENOMEM : 0;
}
