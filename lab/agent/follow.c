/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints what is appended to any file of a directory, new files included:
 *
 *   follow DIRECTORY      ->     <file name>\t<escaped bytes>\n
 *
 * The lab follows xenconsoled's logs with it, to have every console on the
 * host while the domains run.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "escape.h"

#define CHUNK 2048

struct followed {
    struct followed *next;
    char name[256];
    off_t done;
};

static struct followed *files;

static struct followed *followed_get(const char *name)
{
    struct followed *f;

    for (f = files; f; f = f->next)
        if (!strcmp(f->name, name))
            return f;
    f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    snprintf(f->name, sizeof(f->name), "%s", name);
    f->next = files;
    files = f;
    return f;
}

static void followed_print_new(int dir, const char *name)
{
    static char raw[CHUNK], text[CHUNK * ESCAPE_MAX_GROWTH];
    struct followed *f = followed_get(name);
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return; /* deleted in between */
    while ((n = pread(fd, raw, sizeof(raw), f->done)) > 0) {
        f->done += n;
        printf("%s\t%.*s\n", name, (int)escape_encode(raw, (size_t)n, text), text);
    }
    close(fd);
    fflush(stdout);
}

static void directory_print(int dir)
{
    DIR *d = fdopendir(dup(dir));
    struct dirent *e;

    while (d && (e = readdir(d)))
        if (e->d_type == DT_REG)
            followed_print_new(dir, e->d_name);
    if (d)
        closedir(d);
}

int main(int argc, char **argv)
{
    _Alignas(struct inotify_event) char events[4096];
    int dir = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int watch = inotify_init1(IN_CLOEXEC);
    ssize_t n;

    if (dir < 0 || inotify_add_watch(watch, argv[1], IN_MODIFY | IN_CREATE) < 0) {
        fprintf(stderr, "usage: follow DIRECTORY (which must exist)\n");
        return 2;
    }
    directory_print(dir);
    while ((n = read(watch, events, sizeof(events))) > 0) {
        for (char *p = events; p < events + n;) {
            struct inotify_event *e = (struct inotify_event *)p;

            if (e->len)
                followed_print_new(dir, e->name);
            p += sizeof(*e) + e->len;
        }
    }
    return 1;
}
