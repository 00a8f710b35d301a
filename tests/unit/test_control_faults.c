/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose doing it is that a device may not send any more, and what of Xen's log is too old to tell. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "supervise/faults.h"
#include "supervise/supervisor.h"
#include "util/log.h"
#include "xen/domain.h"
#include "xen/pci.h"

static const char fault[] = "(XEN) [VT-D]DMAR:[DMA Write] Request device [0000:00:04.0] fault addr "
                            "7f123000\n";

static struct supervisor supervisor;
static struct supervised domain;
static struct faults faults;
static unsigned int nr_full; /* reads that fill the buffer are still to come */
static unsigned int nr_faults; /* lines, in the next read */
static int read_err;
static bool is_busy, is_dead, is_off;
static unsigned int nr_lines;
static char line[1024];

void log_line(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    nr_lines++;
}

int64_t host_ticks_ms(void)
{
    return 1;
}

int conring_read(struct host *host, struct conring *ring, char *buf, size_t size)
{
    size_t len = 0;

    (void)host;
    (void)ring;
    if (read_err)
        return read_err;
    for (; nr_faults; nr_faults--, len += strlen(fault))
        memcpy(buf + len, fault, strlen(fault));
    if (!nr_full)
        return (int)len;
    nr_full--;
    memset(buf + len, '\n', size - len);
    return (int)size;
}

bool pci_master_is_off(const struct bdf *bdf)
{
    (void)bdf;
    return is_off;
}

bool supervised_is_busy(const struct supervised *supervised)
{
    (void)supervised;
    return is_busy;
}

int domain_look(struct host *host, const struct journal *journal, struct domain_seen *seen_r)
{
    (void)host;
    (void)journal;
    *seen_r = (struct domain_seen){ .exists = true, .is_ours = true, .shut_down = is_dead };
    return 0;
}

static int setup(void **state)
{
    (void)state;
    memset(&supervisor, 0, sizeof(supervisor));
    memset(&domain, 0, sizeof(domain));
    memset(&faults, 0, sizeof(faults));
    domain.common = &supervisor.common;
    strcpy(domain.journal.name, "domnet");
    domain.journal.wish = JOURNAL_RUN;
    domain.journal.nr_nics = 1;
    domain.journal.nics[0].bdf = (struct bdf){ 0, 0, 4, 0 };
    supervisor.domains[0] = &domain;
    supervisor.nr = 1;
    nr_full = nr_faults = nr_lines = 0;
    read_err = 0;
    is_busy = is_dead = is_off = false;
    line[0] = '\0';
    return 0;
}

static void what_was_there_before_is_not_told(void **state)
{
    (void)state;
    /* A ring that is longer than one look, then one that cannot be read. */
    nr_full = 20;
    for (unsigned int i = 0; i < 2; i++) {
        nr_faults = 1;
        faults_look(&faults, &supervisor);
        assert_false(faults.began);
    }
    read_err = -EIO;
    faults_look(&faults, &supervisor);
    assert_false(faults.began);
    read_err = 0;
    nr_faults = 1;
    faults_look(&faults, &supervisor);
    assert_int_equal(nr_full, 0);
    assert_true(faults.began);
    assert_int_equal(nr_lines, 0);
    nr_faults = 2;
    faults_look(&faults, &supervisor);
    assert_int_equal(nr_lines, 1);
    assert_non_null(
        strstr(line, "domnet: the IOMMU refused 2 requests of its device 0000:00:04.0"));
}

static void xen_is_named_only_for_what_ferryd_did_not_do(void **state)
{
    static const struct {
        bool is_off, is_dead, is_busy, is_recovering;
        int64_t noticed_us;
        bool names_xen;
    } rows[] = {
        { true, false, false, false, 0, true }, { false, false, false, false, 0, false },
        { true, true, false, false, 0, false }, { true, false, true, false, 0, false },
        { true, false, false, true, 0, false }, { true, false, false, false, 7, false },
    };

    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        setup(state);
        faults.began = true;
        nr_faults = 1;
        is_off = rows[i].is_off;
        is_dead = rows[i].is_dead;
        is_busy = rows[i].is_busy;
        domain.journal.recovering = rows[i].is_recovering;
        domain.noticed_us = rows[i].noticed_us;
        faults_look(&faults, &supervisor);
        assert_int_equal(nr_lines, 1);
        assert_int_equal(strstr(line, "Xen switched") != NULL, rows[i].names_xen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_there_before_is_not_told, setup),
        cmocka_unit_test_setup(xen_is_named_only_for_what_ferryd_did_not_do, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
