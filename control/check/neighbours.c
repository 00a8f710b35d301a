/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dom0 under Xen sees no IOMMU groups. What sysfs shows instead: functions of the same device, what
 * is behind the same bridge to a conventional bus, interrupt lines, and register pages.
 */
#include "check/neighbours.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/files.h"
#include "xen/pci.h"

#define PAGE_SHIFT 12
#define BARS 6
#define FLAG_MEMORY 0x200u /* IORESOURCE_MEM of the Linux kernel */
#define CLASS_BRIDGE 0x06u

struct bar {
    uint64_t first, last; /* pages */
};

struct seen {
    struct bdf bdf;
    unsigned int irq;
    bool is_bridge;
    unsigned int nr_bars;
    struct bar bars[BARS];
};

static void bars_read(struct seen *seen)
{
    char path[FILES_PATH_SIZE], *text, *at;

    pci_path(&seen->bdf, "resource", path);
    if (files_read(path, 4096, &text, NULL))
        return;
    at = text;
    for (int i = 0; i < BARS && at; i++) {
        unsigned long start, end, flags;

        if (sscanf(at, "%lx %lx %lx", &start, &end, &flags) == 3 && start && flags & FLAG_MEMORY)
            seen->bars[seen->nr_bars++] = (struct bar){ start >> PAGE_SHIFT, end >> PAGE_SHIFT };
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    free(text);
}

static void device_read(struct seen *seen, const struct bdf *bdf)
{
    char path[FILES_PATH_SIZE], line[32];

    memset(seen, 0, sizeof(*seen));
    seen->bdf = *bdf;
    pci_path(bdf, "irq", path);
    if (files_read_line(path, line, sizeof(line)) > 0)
        seen->irq = (unsigned int)strtoul(line, NULL, 10);
    pci_path(bdf, "class", path);
    if (files_read_line(path, line, sizeof(line)) > 0)
        seen->is_bridge = strtoul(line, NULL, 16) >> 16 == CLASS_BRIDGE;
    bars_read(seen);
}

static bool pages_shared(const struct seen *a, const struct seen *b)
{
    for (unsigned int i = 0; i < a->nr_bars; i++)
        for (unsigned int j = 0; j < b->nr_bars; j++)
            if (a->bars[i].first <= b->bars[j].last && b->bars[j].first <= a->bars[i].last)
                return true;
    return false;
}

/* A bus that is not the root's: point to point on PCI Express, so company on it means a bus whose
 * requests cannot be told apart, or a switch without access control. */
static bool bus_shared(const struct bdf *a, const struct bdf *b)
{
    return a->domain == b->domain && a->bus == b->bus && a->bus != 0;
}

static bool device_shared(const struct bdf *a, const struct bdf *b)
{
    return a->domain == b->domain && a->bus == b->bus && a->dev == b->dev;
}

/* What they have in common; NULL for nothing. Bridges forward, they have no driver to harm. */
static const char *common(const struct seen *a, const struct seen *b)
{
    if (device_shared(&a->bdf, &b->bdf))
        return "is a function of the same device";
    if (pages_shared(a, b))
        return "has registers in the same page";
    if (b->is_bridge)
        return NULL;
    if (bus_shared(&a->bdf, &b->bdf))
        return "is on the same bus";
    if (a->irq && a->irq == b->irq)
        return "has the same interrupt line";
    return NULL;
}

static bool is_own(const struct bdf *bdf, const struct bdf *own, unsigned int nr_own)
{
    for (unsigned int i = 0; i < nr_own; i++)
        if (bdf_is_same(bdf, &own[i]))
            return true;
    return false;
}

void check_neighbours(struct check_row *row, const struct bdf *bdf, const struct bdf *own,
                      unsigned int nr_own)
{
    DIR *dir = opendir("/sys/bus/pci/devices");
    struct dirent *entry;
    struct seen self;

    if (!dir) {
        check_set(row, CHECK_REFUSED, "/sys/bus/pci/devices cannot be read");
        return;
    }
    device_read(&self, bdf);
    check_set(row, CHECK_OK, "none (interrupt line %u)", self.irq);
    while ((entry = readdir(dir))) {
        struct seen other;
        struct bdf where;
        const char *what;

        if (bdf_parse(entry->d_name, &where) || bdf_is_same(&where, bdf) ||
            is_own(&where, own, nr_own))
            continue;
        device_read(&other, &where);
        what = common(&self, &other);
        if (what) {
            check_set(row, CHECK_REFUSED, "%s %s", entry->d_name, what);
            break;
        }
    }
    closedir(dir);
}
