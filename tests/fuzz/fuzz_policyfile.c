/* SPDX-License-Identifier: BSD-2-Clause */
/* policyfile_parse(): a file that is taken comes back in one form; one that is not is blamed by a line of it. */
#include <errno.h>
#include <stdbool.h>

#include "config/policyfile.h"

#include "fuzz.h"

static void again_check(const struct policyfile *file)
{
    struct policyfile_error error = { 0 };
    struct policyfile other = { 0 };
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    policyfile_print(file, out);
    FUZZ_CHECK(fclose(out) == 0);
    FUZZ_CHECK(policyfile_parse(text, &other, &error) == 0 && other.nr == file->nr);
    for (unsigned int i = 0; i < file->nr; i++) {
        FUZZ_CHECK(policyfile_name_ok(file->sections[i].name));
        FUZZ_CHECK(strcmp(file->sections[i].text, other.sections[i].text) == 0);
    }
    policyfile_dispose(&other);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policyfile_error error = { 0 };
    struct policyfile file = { 0 };
    char *text = malloc(size + 1);
    int err;

    memcpy(text, data, size);
    text[size] = '\0';
    err = policyfile_parse(text, &file, &error);
    if (err == 0) {
        again_check(&file);
        policyfile_dispose(&file);
    } else {
        FUZZ_CHECK(err == -EINVAL && memchr(error.text, '\0', sizeof(error.text)) && error.text[0]);
        for (const char *c = error.text; *c; c++)
            FUZZ_CHECK(*c >= ' ' && *c <= '~');
    }
    free(text);
    return 0;
}
