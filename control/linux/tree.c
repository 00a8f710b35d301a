/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void node_dispose(struct tree_node *node)
{
    free(node->path);
    free(node->from);
    free(node->data);
}

void tree_dispose(struct tree *tree)
{
    for (size_t i = 0; i < tree->nr; i++)
        node_dispose(&tree->nodes[i]);
    free(tree->nodes);
    *tree = (struct tree){ 0 };
}

/* Where a path is, or would be. */
static size_t place_of(const struct tree *tree, const char *path, bool *is_there_r)
{
    size_t low = 0, high = tree->nr;

    *is_there_r = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tree->nodes[middle].path, path);

        if (order == 0) {
            *is_there_r = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool path_ok(const char *path)
{
    for (const char *part = path; *part;) {
        size_t len = strcspn(part, "/");

        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && strncmp(part, "..", 2) == 0))
            return false;
        part += len;
        if (*part == '/' && !*++part)
            return false;
    }
    return *path != '\0';
}

static int dirs_above(struct tree *tree, const char *path)
{
    char *above = strdup(path), *slash = above ? strrchr(above, '/') : NULL;
    int err = above ? 0 : -ENOMEM;

    if (slash) {
        *slash = '\0';
        err = tree_dir(tree, above);
    }
    free(above);
    return err;
}

/* Takes over what the node holds, but its path. */
static int node_add(struct tree *tree, const char *path, struct tree_node *node)
{
    bool is_there;
    size_t place;
    int err = path_ok(path) ? dirs_above(tree, path) : -EINVAL;

    if (err)
        goto out;
    place = place_of(tree, path, &is_there);
    if (is_there) {
        err = (tree->nodes[place].mode & S_IFMT) == (node->mode & S_IFMT) ? 0 : -EEXIST;
        goto out;
    }
    if (tree->nr == tree->room) {
        size_t room = tree->room ? 2 * tree->room : 64;
        struct tree_node *nodes = reallocarray(tree->nodes, room, sizeof(*nodes));

        if (!nodes) {
            err = -ENOMEM;
            goto out;
        }
        tree->nodes = nodes;
        tree->room = room;
    }
    node->path = strdup(path);
    if (!node->path) {
        err = -ENOMEM;
        goto out;
    }
    memmove(&tree->nodes[place + 1], &tree->nodes[place],
            (tree->nr - place) * sizeof(tree->nodes[0]));
    tree->nodes[place] = *node;
    tree->nr++;
    return 0;
out:
    node_dispose(node);
    return err;
}

int tree_dir(struct tree *tree, const char *path)
{
    return node_add(tree, path, &(struct tree_node){ .mode = S_IFDIR | 0755 });
}

int tree_link(struct tree *tree, const char *path, const char *target)
{
    char *data = strdup(target);

    if (!data)
        return -ENOMEM;
    return node_add(
        tree, path,
        &(struct tree_node){ .mode = S_IFLNK | 0777, .data = data, .len = strlen(data) });
}

int tree_device(struct tree *tree, const char *path, unsigned int major, unsigned int minor)
{
    return node_add(tree, path,
                    &(struct tree_node){ .mode = S_IFCHR | 0600, .major = major, .minor = minor });
}

int tree_file(struct tree *tree, const char *path, mode_t permissions, char *data, size_t len,
              const char *from)
{
    struct tree_node node = { .mode = S_IFREG | permissions, .data = data, .len = len };

    if (from && !(node.from = strdup(from))) {
        free(data);
        return -ENOMEM;
    }
    return node_add(tree, path, &node);
}

const struct tree_node *tree_find(const struct tree *tree, const char *path)
{
    bool is_there;
    size_t place = place_of(tree, path, &is_there);

    return is_there ? &tree->nodes[place] : NULL;
}

size_t tree_size(const struct tree *tree)
{
    size_t size = 0;

    for (size_t i = 0; i < tree->nr; i++)
        if (S_ISREG(tree->nodes[i].mode))
            size += tree->nodes[i].len;
    return size;
}
