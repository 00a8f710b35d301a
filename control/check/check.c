/* SPDX-License-Identifier: BSD-2-Clause */
#include "check/check.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/neighbours.h"
#include "check/pci_rows.h"
#include "check/xenlog.h"
#include "util/files.h"
#include "util/log.h"
#include "util/paths.h"

#define RING_MAX (16u << 20) /* Xen's own limit is below */
#define BOOT_LOG "xen-boot.log"

static const struct check_row templates[] = {
    { "iommu", "without an IOMMU the device writes wherever its driver tells it to",
      "switch VT-d or AMD-Vi on in the firmware; no iommu=no on Xen's command line", 0, "" },
    { "interrupt-remapping", "without it the device can send any interrupt to any processor",
      "switch it on in the firmware; no iommu=no-intremap on Xen's command line", 0, "" },
    { "dom0-mode", "in passthrough mode devices of dom0 are not confined either",
      "take dom0=passthrough (iommu=dom0-passthrough) off Xen's command line", 0, "" },
    { "permissive", "in permissive mode the domain writes all of the device's configuration space",
      "no permissive=1; write the device's address into pciback's `quirks` if it needs a register",
      0, "" },
    { "reset", "without a reset the device carries its state from one owner to the next",
      "use another device, or insist with --allow-unisolated", 0, "" },
    { "reserved-memory",
      "the firmware uses memory together with the device, which the IOMMU lets through",
      "switch USB legacy or management features of the device off in the firmware", 0, "" },
    { "neighbours", "what shares a bus, an interrupt line or a page of registers is not kept apart",
      "use another slot, or give all of them to the same domain", 0, "" },
    { "store", "oxenstored is not supported with untrusted driver domains",
      "use C xenstored: XENSTORED=/usr/lib/xen-4.17/bin/xenstored in /etc/default/xen (not Debian: "
      "its path in /etc/default/xencommons), reboot",
      0, "" },
    { "driver", "the image has no driver for the device: the domain would be without it",
      "make kernel NICS=... with a driver for it; " PATHS_DOCS "/nics.md lists them", 0, "" },
};
#define NR_ROWS (sizeof(templates) / sizeof(templates[0]))
_Static_assert(NR_ROWS == CHECK_ROWS_MAX, "all of them have room");

enum check_result check_worst(const struct check *check)
{
    enum check_result worst = CHECK_OK;

    for (unsigned int i = 0; i < check->nr; i++)
        if (check->rows[i].result > worst)
            worst = check->rows[i].result;
    return worst;
}

/* The ring as it is now, to be freed; NULL if Xen does not give it. */
static char *ring_read(struct host *host)
{
    libxl_xen_console_reader *reader = libxl_xen_console_read_start(host->xl, 0);
    size_t used = 0;
    char *text = NULL, *line;

    while (reader && libxl_xen_console_read_line(host->xl, reader, &line) > 0) {
        size_t len = strlen(line);
        char *more = used + len < RING_MAX ? realloc(text, used + len + 1) : NULL;

        if (!more)
            break;
        text = more;
        memcpy(text + used, line, len + 1);
        used += len;
    }
    if (reader)
        libxl_xen_console_read_finish(host->xl, reader);
    return text;
}

static void boot_log_path(char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "%s/" BOOT_LOG, files_run_dir());
}

void check_keep_boot_log(struct host *host)
{
    char path[FILES_PATH_SIZE], *text = ring_read(host);
    struct xenlog_facts facts;

    if (!text)
        return;
    xenlog_parse(text, &facts);
    boot_log_path(path);
    if (facts.from_boot) {
        int err = files_dir_make(files_run_dir());

        if (!err)
            err = files_write(path, text, strlen(text));
        if (err)
            log_line("%s: %s%s; `ferry check` will not see what Xen said at boot, once its ring "
                     "has lost it",
                     path, strerror(-err), files_todo(err));
    }
    free(text);
}

/* Of the ring, or, when its beginning is lost, of what ferryd kept of it. */
static void facts_get(struct host *host, struct xenlog_facts *facts)
{
    char path[FILES_PATH_SIZE], *text = ring_read(host);

    memset(facts, 0, sizeof(*facts));
    if (text)
        xenlog_parse(text, facts);
    free(text);
    if (facts->from_boot)
        return;
    boot_log_path(path);
    if (files_read(path, RING_MAX, &text, NULL) == 0) {
        xenlog_parse(text, facts);
        free(text);
    }
}

static const char *not_seen(const struct xenlog_facts *facts)
{
    return facts->from_boot
               ? "Xen did not say so at boot"
               : "not seen: Xen's console ring has lost the boot (run ferryd from boot, "
                 "or conring_size=1M)";
}

static void iommu_judge(struct check_row *row, struct host *host, const struct xenlog_facts *facts)
{
    libxl_physinfo info;
    bool directio;

    libxl_physinfo_init(&info);
    directio = libxl_get_physinfo(host->xl, &info) == 0 && info.cap_hvm_directio;
    libxl_physinfo_dispose(&info);
    if (facts->iommu == XENLOG_NO)
        check_set(row, CHECK_REFUSED, "Xen: I/O virtualisation disabled");
    else if (facts->iommu == XENLOG_YES)
        check_set(row, CHECK_OK, "Xen: I/O virtualisation enabled");
    else if (directio)
        check_set(row, CHECK_OK, "Xen's capabilities have directio (its log: %s)", not_seen(facts));
    else
        check_set(row, CHECK_REFUSED, "Xen's capabilities have no directio");
}

static void remapping_judge(struct check_row *row, const struct xenlog_facts *facts)
{
    if (facts->remapping == XENLOG_YES)
        check_set(row, CHECK_OK, "Xen: Interrupt remapping enabled");
    else if (facts->remapping == XENLOG_NO)
        check_set(row, CHECK_REFUSED, "Xen: Interrupt remapping disabled");
    else
        check_set(row, CHECK_REFUSED, "%s", not_seen(facts));
}

static void mode_judge(struct check_row *row, const struct xenlog_facts *facts)
{
    static const char *const words[] = { "", "Passthrough", "Relaxed", "Strict" };

    if (facts->mode == XENLOG_MODE_NOT_SEEN)
        check_set(row, CHECK_REFUSED, "%s", not_seen(facts));
    else
        check_set(row, facts->mode == XENLOG_MODE_PASSTHROUGH ? CHECK_REFUSED : CHECK_OK,
                  "Xen: Dom0 mode: %s", words[facts->mode]);
}

/* The store daemon's name, by the processes of dom0. */
static void store_judge(struct check_row *row)
{
    bool has_c = false, has_ocaml = false;
    DIR *dir = opendir("/proc");
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char path[FILES_PATH_SIZE], name[32];

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
        if (files_read_line(path, name, sizeof(name)) < 0)
            continue;
        has_c = has_c || strcmp(name, "xenstored") == 0;
        has_ocaml = has_ocaml || strcmp(name, "oxenstored") == 0;
    }
    if (dir)
        closedir(dir);
    if (has_ocaml)
        check_set(row, CHECK_REFUSED, "oxenstored runs");
    else if (has_c)
        check_set(row, CHECK_OK, "C xenstored runs");
    else
        check_set(row, CHECK_UNKNOWN, "no store daemon in dom0 (a domain of its own?)");
}

void check_run(struct host *host, const struct bdf *bdf, bool permissive, const struct bdf *own,
               unsigned int nr_own, const char *kernel, struct check *check_r)
{
    struct check_row *row = check_r->rows;
    struct xenlog_facts facts;

    check_r->bdf = *bdf;
    check_r->nr = NR_ROWS;
    memcpy(check_r->rows, templates, sizeof(templates));
    facts_get(host, &facts);
    iommu_judge(row++, host, &facts);
    remapping_judge(row++, &facts);
    mode_judge(row++, &facts);
    check_permissive(row++, bdf, permissive);
    check_reset(row++, bdf);
    check_reserved(row++, bdf);
    check_neighbours(row++, bdf, own, nr_own);
    store_judge(row++);
    if (!kernel || !check_driver(row, bdf, kernel))
        check_r->nr--;
}
