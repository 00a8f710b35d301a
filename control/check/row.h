/* SPDX-License-Identifier: BSD-2-Clause */
/* One row of the check: what was seen of one thing that must hold. */
#ifndef CONTROL_CHECK_ROW_H
#define CONTROL_CHECK_ROW_H

enum check_result {
    CHECK_OK,
    CHECK_UNKNOWN, /* could not be seen; no refusal, but no promise either */
    CHECK_REFUSED,
};

#define CHECK_SEEN_SIZE 200

struct check_row {
    const char *name, *why, *remedy;
    enum check_result result;
    char seen[CHECK_SEEN_SIZE];
};

/* The result, and what was seen, cut to CHECK_SEEN_SIZE. */
void check_set(struct check_row *row, enum check_result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For people: "ok", "unknown", "refused". */
const char *check_result_word(enum check_result result);

#endif
