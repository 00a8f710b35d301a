/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics as text, for Prometheus and its kind. Pure.
 * Source: OpenMetrics 1.0; Prometheus' text format 0.0.4, which names a counter's family, and
 * that of an info, as its samples, and knows no infos.
 */
#ifndef CONTROL_SUPERVISE_EXPOSITION_H
#define CONTROL_SUPERVISE_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct exposition {
    FILE *out;
    bool openmetrics;
};

enum exposition_type {
    EXPOSITION_COUNTER,
    EXPOSITION_GAUGE,
    EXPOSITION_HISTOGRAM,
    EXPOSITION_INFO
};

/* A family begins; its samples follow, and no other family's between them. */
void exposition_family(struct exposition *exposition, const char *name, enum exposition_type type,
                       const char *help);

/* Labels of a sample: names and values in turns, ended by NULL. Values may hold anything. */
#define EXPOSITION_LABELS_MAX 5
struct exposition_labels {
    const char *pairs[2 * EXPOSITION_LABELS_MAX + 1];
};
#define EXPOSITION_LABELS(...) (&(const struct exposition_labels){ { __VA_ARGS__, NULL } })

void exposition_counter(struct exposition *exposition, const char *name,
                        const struct exposition_labels *labels, uint64_t value);
void exposition_gauge(struct exposition *exposition, const char *name,
                      const struct exposition_labels *labels, double value);

/* What does not change, in labels; its name ends in _info. */
void exposition_info(struct exposition *exposition, const char *name,
                     const struct exposition_labels *labels);

/*
 * A histogram's samples.
 *
 *   limits  upper ends of the buckets but the last, which has none; ascending, seconds
 *   counts  of each bucket alone, nr_limits + 1
 */
void exposition_histogram(struct exposition *exposition, const char *name,
                          const struct exposition_labels *labels, const double *limits,
                          const uint64_t *counts, unsigned int nr_limits, double sum);

/* Nothing follows. */
void exposition_end(struct exposition *exposition);

#endif
