/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/policyfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/mac.h"

#include <ferry/policy.h>

#define TITLES "[00:16:3e:00:00:01] for the vif with this mac=, or [default] for vifs without one"

struct reader {
    struct policyfile *file;
    struct policyfile_error *error;
    unsigned int line; /* the one at hand, from 1 on */
    unsigned int begun; /* where the section begins; 0: none has */
    char name[POLICYFILE_NAME_SIZE]; /* of the section */
    char *body; /* its lines so far, without comments; room for the whole file */
    size_t len;
};

static int fail(struct policyfile_error *error, unsigned int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct policyfile_error *error, unsigned int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    for (char *c = error->text; *c; c++) /* of the file; it goes to a terminal */
        if (*c < ' ' || *c > '~')
            *c = '?';
    error->line = line;
    return -EINVAL;
}

bool policyfile_name_ok(const char *name)
{
    return strcmp(name, POLICYFILE_DEFAULT) == 0 ||
           (strlen(name) == POLICYFILE_NAME_SIZE - 1 &&
            strspn(name, "0123456789abcdef") == POLICYFILE_NAME_SIZE - 1);
}

void policyfile_title(const struct policyfile_section *section, char title[POLICYFILE_TITLE_SIZE])
{
    const char *name = section->name;

    if (strcmp(name, POLICYFILE_DEFAULT) == 0)
        strcpy(title, name);
    else
        snprintf(title, POLICYFILE_TITLE_SIZE, "%.2s:%.2s:%.2s:%.2s:%.2s:%.2s", name, name + 2,
                 name + 4, name + 6, name + 8, name + 10);
}

static const struct policyfile_section *find(const struct policyfile *file, const char *name)
{
    for (unsigned int i = 0; i < file->nr; i++)
        if (strcmp(file->sections[i].name, name) == 0)
            return &file->sections[i];
    return NULL;
}

int policyfile_add(struct policyfile *file, const char *name, const char *text, unsigned int line)
{
    struct policyfile_section *sections, *section;
    char *copy;

    if (find(file, name))
        return -EEXIST;
    if (file->nr == POLICYFILE_SECTIONS_MAX)
        return -E2BIG;
    sections = realloc(file->sections, (file->nr + 1) * sizeof(*sections));
    if (!sections)
        return -ENOMEM;
    file->sections = sections;
    copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    section = &sections[file->nr++];
    snprintf(section->name, sizeof(section->name), "%s", name);
    section->text = copy;
    section->line = line;
    return 0;
}

/*
 * The grammar's own words on it, whose lines count from the one behind the section's title.
 *
 *   line  of the title; 0: the text is from no file
 */
static int canonical(const char *text, size_t len, unsigned int line,
                     char text_r[POLICY_TEXT_MAX + 1], struct policyfile_error *error)
{
    char words[POLICY_ERROR_SIZE], *rest = words;
    struct policy policy;
    unsigned long at = 0;

    if (len > POLICY_TEXT_MAX)
        return fail(error, line, "%zu bytes without comments: a policy has %u at most", len,
                    POLICY_TEXT_MAX);
    if (policy_parse(text, len, &policy, words) == 0) {
        policy_print(&policy, text_r, POLICY_TEXT_MAX + 1);
        return 0;
    }
    if (strncmp(words, "line ", 5) == 0)
        at = strtoul(words + 5, &rest, 10);
    if (!at || strncmp(rest, ": ", 2) != 0)
        return fail(error, line, "%s", words);
    return fail(error, line + (unsigned int)at, "%s", rest + 2);
}

/* What was read since its title is a section. */
static int section_end(struct reader *r)
{
    char text[POLICY_TEXT_MAX + 1];
    int err;

    if (!r->begun)
        return 0;
    while (r->len && r->body[r->len - 1] == '\n')
        r->len--;
    err = canonical(r->body, r->len, r->begun, text, r->error);
    if (!err)
        err = policyfile_add(r->file, r->name, text, r->begun);
    if (err == -E2BIG)
        return fail(r->error, r->begun, "more than %u sections", POLICYFILE_SECTIONS_MAX);
    return err;
}

/* "[...]", without the blanks around it. */
static int title_read(struct reader *r, const char *text, size_t len)
{
    const struct policyfile_section *before;
    uint8_t mac[MAC_SIZE];

    if (len > 2 && text[len - 1] == ']' && strlen(POLICYFILE_DEFAULT) == len - 2 &&
        strncmp(text + 1, POLICYFILE_DEFAULT, len - 2) == 0) {
        strcpy(r->name, POLICYFILE_DEFAULT);
    } else if (len > 2 && text[len - 1] == ']' && mac_read(text + 1, len - 2, mac)) {
        if (mac[0] & 1)
            return fail(r->error, r->line, "%.*s is the address of a group, not of a vif", (int)len,
                        text);
        if (memcmp(mac, (const uint8_t[MAC_SIZE]){ 0 }, MAC_SIZE) == 0)
            return fail(r->error, r->line, "%.*s is no vif's address", (int)len, text);
        snprintf(r->name, sizeof(r->name), "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2],
                 mac[3], mac[4], mac[5]);
    } else {
        return fail(r->error, r->line, "%.*s begins no section; one begins with " TITLES,
                    (int)(len < 40 ? len : 40), text);
    }
    before = find(r->file, r->name);
    if (before)
        return fail(r->error, r->line, "%.*s is in line %u already", (int)len, text, before->line);
    r->begun = r->line;
    r->len = 0;
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One line, without its newline. */
static int line_read(struct reader *r, const char *text, size_t len)
{
    const char *comment = memchr(text, '#', len);
    int err;

    if (comment)
        len = (size_t)(comment - text);
    while (len && is_blank(text[len - 1]))
        len--;
    for (; len && is_blank(*text); len--)
        text++;
    if (len && *text == '[') {
        err = section_end(r);
        return err ? err : title_read(r, text, len);
    }
    if (len && !r->begun)
        return fail(r->error, r->line,
                    "a statement stands in a section: write " TITLES " before it");
    memcpy(r->body + r->len, text, len);
    r->body[r->len + len] = '\n';
    r->len += len + 1;
    return 0;
}

static int lines_read(struct reader *r, const char *text)
{
    int err = 0;

    while (!err && *text) {
        size_t len = strcspn(text, "\n");

        r->line++;
        err = line_read(r, text, len);
        text += len + (text[len] == '\n');
    }
    return err ? err : section_end(r);
}

int policyfile_parse(const char *text, struct policyfile *file_r, struct policyfile_error *error_r)
{
    struct policyfile file = { 0 };
    struct policyfile_error error = { 0 };
    struct reader r = { .file = &file, .error = &error, .body = malloc(strlen(text) + 2) };
    int err = r.body ? lines_read(&r, text) : -ENOMEM;

    free(r.body);
    if (err) {
        policyfile_dispose(&file);
        if (err == -EINVAL)
            *error_r = error;
        return err;
    }
    policyfile_sort(&file);
    *file_r = file;
    return 0;
}

void policyfile_print(const struct policyfile *file, FILE *out)
{
    for (unsigned int i = 0; i < file->nr; i++) {
        const char *text = file->sections[i].text;
        char title[POLICYFILE_TITLE_SIZE];

        policyfile_title(&file->sections[i], title);
        fprintf(out, "%s[%s]\n%s%s", i ? "\n" : "", title, text, *text ? "\n" : "");
    }
}

int policyfile_check(struct policyfile *file, const char **section_r,
                     struct policyfile_error *error_r)
{
    for (unsigned int i = 0; i < file->nr; i++) {
        struct policyfile_section *section = &file->sections[i];
        char text[POLICY_TEXT_MAX + 1], *copy;

        if (canonical(section->text, strlen(section->text), 0, text, error_r)) {
            *section_r = section->name;
            return -EINVAL;
        }
        copy = strdup(text);
        if (!copy) {
            *section_r = section->name;
            fail(error_r, 0, "%s", strerror(ENOMEM));
            return -ENOMEM;
        }
        free(section->text);
        section->text = copy;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const char *left = ((const struct policyfile_section *)a)->name;
    const char *right = ((const struct policyfile_section *)b)->name;
    bool is_left = strcmp(left, POLICYFILE_DEFAULT) == 0;
    bool is_right = strcmp(right, POLICYFILE_DEFAULT) == 0;

    return is_left != is_right ? (is_left ? -1 : 1) : strcmp(left, right);
}

void policyfile_sort(struct policyfile *file)
{
    if (file->nr)
        qsort(file->sections, file->nr, sizeof(*file->sections), by_name);
}

unsigned int policyfile_vifs(const struct policyfile *file, bool *has_default_r)
{
    *has_default_r = find(file, POLICYFILE_DEFAULT);
    return file->nr - *has_default_r;
}

void policyfile_dispose(struct policyfile *file)
{
    for (unsigned int i = 0; i < file->nr; i++)
        free(file->sections[i].text);
    free(file->sections);
    memset(file, 0, sizeof(*file));
}
