/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/exposition.h"

static const char *const type_words[] = { "counter", "gauge", "histogram", "info" };

void exposition_family(struct exposition *exposition, const char *name, enum exposition_type type,
                       const char *help)
{
    const char *suffix = "";

    if (type == EXPOSITION_COUNTER && !exposition->openmetrics)
        suffix = "_total";
    if (type == EXPOSITION_INFO && !exposition->openmetrics) {
        suffix = "_info";
        type = EXPOSITION_GAUGE;
    }
    fprintf(exposition->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name, suffix,
            type_words[type]);
}

static void value_put(FILE *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '\\' || *value == '"')
            fprintf(out, "\\%c", *value);
        else
            putc(*value, out);
    }
}

/* le: one more label; NULL for none. */
static void sample_begin(FILE *out, const char *name, const char *suffix,
                         const struct exposition_labels *labels, const char *le)
{
    const char *separator = "{";

    fprintf(out, "%s%s", name, suffix);
    for (const char *const *pair = labels->pairs; pair[0]; pair += 2) {
        fprintf(out, "%s%s=\"", separator, pair[0]);
        value_put(out, pair[1]);
        putc('"', out);
        separator = ",";
    }
    if (le) {
        fprintf(out, "%sle=\"%s\"", separator, le);
        separator = ",";
    }
    fputs(*separator == ',' ? "} " : " ", out);
}

void exposition_counter(struct exposition *exposition, const char *name,
                        const struct exposition_labels *labels, uint64_t value)
{
    sample_begin(exposition->out, name, "_total", labels, NULL);
    fprintf(exposition->out, "%llu\n", (unsigned long long)value);
}

void exposition_gauge(struct exposition *exposition, const char *name,
                      const struct exposition_labels *labels, double value)
{
    sample_begin(exposition->out, name, "", labels, NULL);
    fprintf(exposition->out, "%.17g\n", value);
}

void exposition_info(struct exposition *exposition, const char *name,
                     const struct exposition_labels *labels)
{
    sample_begin(exposition->out, name, "_info", labels, NULL);
    fputs("1\n", exposition->out);
}

void exposition_histogram(struct exposition *exposition, const char *name,
                          const struct exposition_labels *labels, const double *limits,
                          const uint64_t *counts, unsigned int nr_limits, double sum)
{
    uint64_t total = 0;

    for (unsigned int i = 0; i <= nr_limits; i++) {
        char le[32] = "+Inf";

        if (i < nr_limits)
            snprintf(le, sizeof(le), "%.9g", limits[i]);
        total += counts[i];
        sample_begin(exposition->out, name, "_bucket", labels, le);
        fprintf(exposition->out, "%llu\n", (unsigned long long)total);
    }
    sample_begin(exposition->out, name, "_sum", labels, NULL);
    fprintf(exposition->out, "%.9g\n", sum);
    sample_begin(exposition->out, name, "_count", labels, NULL);
    fprintf(exposition->out, "%llu\n", (unsigned long long)total);
}

void exposition_end(struct exposition *exposition)
{
    if (exposition->openmetrics)
        fputs("# EOF\n", exposition->out);
}
