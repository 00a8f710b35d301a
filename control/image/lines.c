/* SPDX-License-Identifier: BSD-2-Clause */
#include "image/lines.h"

#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/image.h"

#define DIGITS 16
#define WORD_SIZE 20
#define WHERE_SIZE 512

extern char **environ;

/* What addr2line finds for the addresses asked for, in their order. */
struct found {
    unsigned int nr;
    struct lines_place places[LINES_MAX];
    char where[LINES_MAX][WHERE_SIZE]; /* "": nothing, or another function */
};

bool lines_place_read(const char *line, struct lines_place *place_r)
{
    struct lines_place place = { 0 };
    const char *at = line + strspn(line, " ");
    size_t len;

    place.is_caller = strncmp(at, "rip ", 4) != 0;
    if (!place.is_caller)
        at += 4 + strspn(at + 4, " ");
    if (at == line || strspn(at, "0123456789abcdef") != DIGITS || at[DIGITS] != ' ')
        return false;
    place.address = strtoull(at, NULL, 16);
    at += DIGITS + 1;
    len = strcspn(at, "+ \n");
    if (!len || len >= sizeof(place.symbol) || strncmp(at + len, "+0x", 3) != 0)
        return false;
    memcpy(place.symbol, at, len);
    *place_r = place;
    return true;
}

const char *lines_next(const char *line)
{
    const char *end = strchr(line, '\n');

    return end ? end + 1 : NULL;
}

/* Both were linked at once, but for their symbols. */
static bool text_is_same(const struct image *a, const struct image *b)
{
    static uint8_t of_a[IMAGE_PAGE], of_b[IMAGE_PAGE];

    if (memcmp(&a->note, &b->note, sizeof(a->note)) != 0)
        return false;
    for (uint64_t va = a->note.text_start; va < a->note.text_end; va += IMAGE_PAGE)
        if (memcmp(image_page(a, va, of_a), image_page(b, va, of_b), IMAGE_PAGE) != 0)
            return false;
    return true;
}

static bool file_fits(const struct image *image, const char *path)
{
    struct image other;
    bool fits;

    if (image_load(path, &other))
        return false;
    fits = text_is_same(image, &other);
    image_dispose(&other);
    return fits;
}

int lines_find(const char *image, char path_r[FILES_PATH_SIZE])
{
    char path[FILES_PATH_SIZE];
    struct dirent *entry;
    struct image stripped;
    bool found = false;
    DIR *dir;

    if (image_load(image, &stripped))
        return -ENOENT;
    dir = opendir(files_debug_dir());
    while (dir && !found && (entry = readdir(dir))) {
        const char *end = strrchr(entry->d_name, '.');
        int len = snprintf(path, sizeof(path), "%s/%s", files_debug_dir(), entry->d_name);

        found = end && strcmp(end, ".debug") == 0 && len < (int)sizeof(path) &&
                file_fits(&stripped, path);
    }
    if (dir)
        closedir(dir);
    image_dispose(&stripped);
    if (!found)
        return -ENOENT;
    memcpy(path_r, path, sizeof(path));
    return 0;
}

/* Up to the first dot: gcc calls a part of f() f.part.0 in the symbols, and f in the lines. */
static bool is_same_function(const char *a, const char *b)
{
    size_t len = strcspn(a, ".");

    return len == strcspn(b, ".") && strncmp(a, b, len) == 0;
}

/* Begun and read from; its words are ours alone. */
static int addr2line_begin(const struct found *found, const char *debug, pid_t *pid_r, FILE **out_r)
{
    char words[LINES_MAX][WORD_SIZE],
        *argv[LINES_MAX + 7] = { "addr2line", "-a", "-f", "-i", "-e", (char *)debug };
    posix_spawn_file_actions_t actions;
    int fds[2], err;

    for (unsigned int i = 0; i < found->nr; i++) {
        const struct lines_place *place = &found->places[i];

        snprintf(words[i], WORD_SIZE, "0x%lx", place->address - place->is_caller);
        argv[6 + i] = words[i];
    }
    argv[6 + found->nr] = NULL;
    if (pipe(fds))
        return -errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, fds[0]);
    posix_spawn_file_actions_addclose(&actions, fds[1]);
    err = posix_spawnp(pid_r, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    *out_r = err ? NULL : fdopen(fds[0], "r");
    if (!*out_r)
        close(fds[0]);
    return -err;
}

/* One frame: the function, then file and line. The innermost comes first, what it was inlined into behind it. */
static void frame_add(char where[WHERE_SIZE], const char *file)
{
    size_t len = strlen(where);

    if (strncmp(file, "./", 2) == 0)
        file += 2;
    snprintf(where + len, WHERE_SIZE - len, "%s%s", len ? ", inlined at " : "", file);
}

/*
 * "0x..." begins an address, then pairs of lines. The last function of an address is the one that the symbol table
 * knows.
 */
static void answers_read(FILE *out, struct found *found)
{
    char function[WHERE_SIZE], file[WHERE_SIZE];
    unsigned int at = 0;
    bool same = false;

    while (fgets(function, sizeof(function), out)) {
        function[strcspn(function, "\n")] = '\0';
        if (strncmp(function, "0x", 2) == 0) {
            if (at && !same)
                found->where[at - 1][0] = '\0';
            if (at == found->nr)
                return;
            at++;
            same = false;
            continue;
        }
        if (!at || !fgets(file, sizeof(file), out))
            return;
        file[strcspn(file, " \n")] = '\0';
        same = is_same_function(function, found->places[at - 1].symbol) && file[0] != '?';
        frame_add(found->where[at - 1], file);
    }
    if (at && !same)
        found->where[at - 1][0] = '\0';
}

static int lines_ask(struct found *found, const char *debug)
{
    FILE *out;
    pid_t pid;
    int status, err = addr2line_begin(found, debug, &pid, &out);

    if (err)
        return err;
    if (out) {
        answers_read(out, found);
        fclose(out);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -EIO;
    return out && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int lines_print(char *text, const char *debug)
{
    static struct found found;
    struct lines_place place;
    unsigned int at = 0;
    int err = 0;

    memset(&found, 0, sizeof(found));
    for (const char *line = text; line; line = lines_next(line))
        if (found.nr < LINES_MAX && lines_place_read(line, &found.places[found.nr]))
            found.nr++;
    if (found.nr)
        err = lines_ask(&found, debug);
    for (char *line = text, *next; *line; line = next) {
        size_t len = strcspn(line, "\n");
        const char *where = "";

        if (!err && at < found.nr && lines_place_read(line, &place))
            where = found.where[at++];
        printf("%.*s%s%s\n", (int)len, line, *where ? "  " : "", where);
        next = line + len + (line[len] == '\n');
    }
    return err;
}
