/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the vifs of a driver domain may do, as a file: sections "[00:16:3e:00:00:01]", one vif by its mac=,
 * or "[default]", for vifs without one; in each statements of <ferry/policy.h>. Pure.
 */
#ifndef CONTROL_POLICYFILE_H
#define CONTROL_POLICYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define POLICYFILE_SIZE_MAX 1048576 /* of a file */
#define POLICYFILE_SECTIONS_MAX 512
#define POLICYFILE_NAME_SIZE 13
#define POLICYFILE_DEFAULT "default"

struct policyfile_section {
    char name[POLICYFILE_NAME_SIZE]; /* its node's: 12 hex digits in lower case, or "default" */
    unsigned int line; /* where it begins; 0: not from a file */
    char *text;
};

struct policyfile {
    unsigned int nr;
    struct policyfile_section *sections;
};

struct policyfile_error {
    unsigned int line; /* 0: none in particular */
    char text[256]; /* what is wrong, and what is accepted */
};

/*
 * Read the text of a file. Each section's text is then the canonical one of policy_print(), which is what
 * the driver domain is given.
 *
 *   file_r   for policyfile_dispose()
 *   error_r  set for -EINVAL only
 *
 * Returns 0, -EINVAL or -ENOMEM.
 */
int policyfile_parse(const char *text, struct policyfile *file_r, struct policyfile_error *error_r);

/* The text that policyfile_parse() makes the same of. */
void policyfile_print(const struct policyfile *file, FILE *out);

/* Add a copy of a text, as it is. Returns 0, -EEXIST, -E2BIG or -ENOMEM. */
int policyfile_add(struct policyfile *file, const char *name, const char *text, unsigned int line);

/*
 * Make each text canonical.
 *
 *   section_r  set on failure only: the one that this did not work for, owned by the file
 *   error_r    set on failure only
 *
 * Returns 0, -EINVAL or -ENOMEM.
 */
int policyfile_check(struct policyfile *file, const char **section_r,
                     struct policyfile_error *error_r);

/* The default first, then by address. */
void policyfile_sort(struct policyfile *file);

/* How many vifs have one of their own, and whether there is a default. */
unsigned int policyfile_vifs(const struct policyfile *file, bool *has_default_r);

/* Whether it can be a section's node. */
bool policyfile_name_ok(const char *name);

/* As it stands in a file, "00:16:3e:00:00:01" or "default". */
#define POLICYFILE_TITLE_SIZE 18
void policyfile_title(const struct policyfile_section *section, char title[POLICYFILE_TITLE_SIZE]);

void policyfile_dispose(struct policyfile *file);

#endif
