/* SPDX-License-Identifier: BSD-2-Clause */
/* A rebuild: a successor has its policy before it runs, and one that cannot have it does not run. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/policies.h"
#include "fake_xs.h"
#include "recover/recover.h"
#include "recover/reference.h"
#include "recover/steps.h"
#include "xen/agentpage.h"
#include "xen/domain.h"
#include "xen/pci.h"
#include "xen/statuspage.h"
#include "xen/vbds.h"
#include "xen/vifs.h"

#define OLD_ID 3
#define NEW_ID 9

static struct xs_handle *store;
static bool id_is_taken;
static int changes_allowed; /* of the successor's xenstore */
static unsigned int nr_lost, nr_late, nr_taken; /* vifs, when it has been waited for them */
static bool is_noticed;
static int64_t now_ms;
static int64_t agent_ms, ready_ms, dies_ms; /* when Linux has come so far; -1: never */
static bool is_mapped, runs;
static int64_t replug_ms, replug_limit_ms;
static unsigned int nr_disks; /* that the dead one served */
static bool has_block; /* by its command line */
static int vifs_err, vbds_err;
static uint32_t saved_domid; /* when disks were given up */
static char done[256]; /* what was done, in order; a '+' where the successor had its policy */

static void note(const char *what, uint32_t domid)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u/ferry/policy/default", domid);
    snprintf(done + strlen(done), sizeof(done) - strlen(done), "%s%s ", what,
             fake_xs_get(store, path) ? "+" : "");
}

static uint32_t saved_id(void)
{
    struct journal saved;

    assert_int_equal(journal_load("domnet", &saved), 0);
    return saved.domid;
}

static void home_remove(uint32_t domid)
{
    char path[64];

    snprintf(path, sizeof(path), "/local/domain/%u", domid);
    xs_rm(store, XBT_NULL, path);
}

int64_t host_now_ms(void)
{
    return 1000;
}

int64_t host_ticks_ms(void)
{
    return now_ms;
}

int64_t host_ticks_us(void)
{
    return now_ms * 1000;
}

int domain_look(struct host *host, const struct journal *journal, struct domain_seen *seen_r)
{
    (void)host;
    (void)journal;
    *seen_r = (struct domain_seen){ .exists = true,
                                    .is_ours = runs,
                                    .shut_down = dies_ms >= 0 && now_ms >= dies_ms };
    return 0;
}

static bool was_stopped;

void domain_quiet(struct host *host, const struct journal *journal)
{
    (void)host;
    (void)journal;
    was_stopped = true;
}

int domain_destroy(struct host *host, const struct journal *journal)
{
    (void)host;
    note("destroy", journal->domid);
    runs = false;
    fake_xs_allow_changes(store, -1);
    home_remove(journal->domid);
    return 0;
}

int domain_create(struct host *host, libxl_domain_config *config, struct journal *journal,
                  uint32_t domid)
{
    char path[64];

    (void)host;
    (void)config;
    if (domid != JOURNAL_NO_DOMID && id_is_taken)
        return -EIO;
    journal->domid = domid == JOURNAL_NO_DOMID ? NEW_ID : domid;
    snprintf(path, sizeof(path), "/local/domain/%u", journal->domid);
    fake_xs_put(store, path, "");
    note("create", journal->domid);
    fake_xs_allow_changes(store, changes_allowed);
    return 0;
}

int domain_unpause(struct host *host, const struct journal *journal)
{
    (void)host;
    note("unpause", journal->domid);
    runs = true;
    return 0;
}

int vifs_find(struct host *host, uint32_t backend, struct vifs *vifs_r)
{
    (void)host;
    (void)backend;
    *vifs_r = (struct vifs){ .nr = 1 };
    return vifs_err;
}

void vifs_rebuild(struct host *host, uint32_t backend, enum vif_taker taker, struct vifs *vifs)
{
    (void)host;
    (void)taker;
    (void)vifs;
    note("nodes", backend);
}

int vifs_settle(struct host *host, const struct journal *journal, struct vifs *vifs,
                unsigned int limit_ms, unsigned int rest_ms)
{
    (void)host;
    (void)journal;
    (void)limit_ms;
    (void)rest_ms;
    vifs->nr_late = nr_late;
    return 0;
}

void vifs_replug(struct host *host, const struct journal *of, struct vifs *vifs,
                 unsigned int limit_ms)
{
    (void)host;
    (void)vifs;
    replug_ms = now_ms;
    replug_limit_ms = limit_ms;
    note("replug", of->domid);
}

int vbds_find(struct host *host, uint32_t backend, struct vbds *vbds_r)
{
    (void)host;
    (void)backend;
    *vbds_r = (struct vbds){ .nr = nr_disks };
    return vbds_err;
}

void vbds_rebuild(struct host *host, uint32_t backend, struct vbds *vbds)
{
    (void)host;
    if (vbds->nr)
        note("disks", backend);
}

int vbds_settle(struct host *host, const struct journal *of, struct vbds *vbds, int64_t deadline)
{
    (void)host;
    (void)vbds;
    (void)deadline;
    note("disks-wait", of->domid);
    return 0;
}

void vbds_give_up(struct host *host, uint32_t backend, struct vbds *vbds, const char *why)
{
    (void)host;
    (void)why;
    saved_domid = saved_id();
    if (vbds->nr)
        note(backend == JOURNAL_NO_DOMID ? "disks-destroy" : "disks-close", backend);
}

unsigned int vbds_count(const struct vbds *vbds, enum vbd_way way)
{
    (void)vbds;
    (void)way;
    return 0;
}

bool vbds_words_serve(const char *cmdline)
{
    (void)cmdline;
    return has_block;
}

/* A page that maps when its agent has come up. */
const volatile void *agentpage_map(struct agentpage *agent, struct host *host, uint32_t domid,
                                   const char *name)
{
    (void)host;
    (void)domid;
    (void)name;
    if (agent_ms < 0 || now_ms < agent_ms)
        return NULL;
    is_mapped = true;
    agent->page = &is_mapped;
    return agent->page;
}

void agentpage_forget(struct agentpage *agent)
{
    (void)agent;
    is_mapped = false;
}

bool statuspage_copy(const volatile void *page, struct ferry_status *status_r)
{
    assert_ptr_equal(page, &is_mapped);
    status_r->phase = ready_ms >= 0 && now_ms >= ready_ms ? FERRY_PHASE_READY : FERRY_PHASE_SERVING;
    return true;
}

void host_sleep_ms(unsigned int ms)
{
    now_ms += ms;
}

unsigned int vifs_count(const struct vifs *vifs, enum vif_way way)
{
    (void)vifs;
    return way == VIF_LOST ? nr_lost : way == VIF_TAKEN ? nr_taken : 0;
}

bool vifs_noticed(struct host *host, uint32_t backend, const struct vifs *vifs)
{
    (void)host;
    (void)backend;
    (void)vifs;
    return is_noticed;
}

int pci_take(struct host *host, const struct bdf *bdf, bool *taken_r)
{
    (void)host;
    (void)bdf;
    *taken_r = false;
    return 0;
}

void pci_quiet(const struct bdf *bdf)
{
    (void)bdf;
}

void reference_forget(const struct journal *journal)
{
    (void)journal;
}

int config_load_kept(libxl_ctx *xl, const struct journal *journal, struct config *config_r)
{
    (void)xl;
    (void)journal;
    memset(config_r, 0, sizeof(*config_r));
    return 0;
}

void config_dispose(struct config *config)
{
    (void)config;
}

void steps_mark(struct journal *journal, const char *name)
{
    (void)journal;
    (void)name;
}

static char dir[32], run[40];
static struct journal journal;

static int setup(void **state)
{
    struct policyfile file = { 0 };

    (void)state;
    store = fake_xs_open();
    fake_xs_put(store, "/local/domain/3", "");
    id_is_taken = false;
    changes_allowed = -1;
    nr_lost = nr_late = nr_taken = 0;
    is_noticed = runs = has_block = false;
    nr_disks = 0;
    vifs_err = vbds_err = 0;
    now_ms = 5;
    agent_ms = ready_ms = dies_ms = -1;
    done[0] = '\0';
    strcpy(dir, "/tmp/ferry-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    setenv("FERRY_STATE_DIR", dir, 1);
    snprintf(run, sizeof(run), "%s/run", dir);
    setenv("FERRY_RUN_DIR", run, 1);
    setenv("FERRY_CONSOLE_DIR", dir, 1);
    memset(&journal, 0, sizeof(journal));
    strcpy(journal.name, "domnet");
    strcpy(journal.uuid, "00112233-4455-6677-8899-aabbccddeeff");
    journal.domid = OLD_ID;
    journal_death_add(&journal, 1, 500, "crash");
    assert_int_equal(policyfile_add(&file, "default", "isolated", 0), 0);
    assert_int_equal(policies_keep(&journal, &file), 0);
    policyfile_dispose(&file);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    journal_remove("domnet");
    assert_int_equal(rmdir(run), 0);
    assert_int_equal(rmdir(dir), 0);
    fake_xs_close(store);
    return 0;
}

static int rebuild(void)
{
    struct host host = { .xs = store };

    return recover(&host, &journal);
}

static void a_successor_has_its_policy_before_its_vifs(void **state)
{
    (void)state;
    assert_int_equal(rebuild(), 0);
    assert_string_equal(done, "destroy create nodes+ unpause+ replug+ ");
    assert_string_equal(fake_xs_get(store, "/local/domain/3/ferry/policy/default"), "isolated");
    assert_string_equal(fake_xs_rights(store, "/local/domain/3/ferry/policy/default"), "n0,r3");
}

static void so_has_one_with_another_id(void **state)
{
    (void)state;
    id_is_taken = true;
    assert_int_equal(rebuild(), 0);
    assert_int_equal(journal.domid, NEW_ID);
    assert_string_equal(done, "destroy create unpause+ replug+ ");
    assert_string_equal(fake_xs_rights(store, "/local/domain/9/ferry/policy/default"), "n0,r9");
}

static void one_that_cannot_have_it_never_runs(void **state)
{
    (void)state;
    for (changes_allowed = 0; changes_allowed < 8; changes_allowed++) {
        done[0] = '\0';
        assert_int_equal(rebuild(), -EIO);
        assert_string_equal(done, "destroy create destroy ");
        assert_null(fake_xs_get(store, "/local/domain/3"));
        assert_false(journal.recovering);
    }
}

static void nothing_is_given_up_for_one_that_could_not_have_it(void **state)
{
    char path[FILES_PATH_SIZE];

    (void)state;
    journal_path("domnet", ".policy", path);
    assert_int_equal(files_write(path, "[default]\nnonsense\n", 19), 0);
    assert_int_equal(rebuild(), -EINVAL);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rebuild(), -ENODATA);
    assert_string_equal(done, "");
}

static void one_without_policy_comes_back_without(void **state)
{
    (void)state;
    assert_int_equal(policies_keep(&journal, NULL), 0);
    assert_int_equal(rebuild(), 0);
    assert_string_equal(done, "destroy create nodes unpause replug ");
}

static void a_linux_that_serves_nobody_is_no_successor(void **state)
{
    static const struct {
        bool is_linux, is_noticed;
        unsigned int lost, late, taken;
        int err;
    } rows[] = {
        { true, false, 1, 1, 0, -ETIMEDOUT }, /* it has not come up */
        { true, true, 1, 1, 0, 0 }, /* it has, and that one cannot be taken */
        { true, false, 1, 1, 1, 0 }, /* it serves others */
        { true, false, 0, 0, 0, 0 }, /* nobody was connected */
        { true, false, 1, 0, 0,
          0 }, /* a guest made its nodes such that they could not be rebuilt */
        { true, false, 2, 1, 0, -ETIMEDOUT }, /* one did, and it has not come up for the other */
        { false, false, 1, 1, 0, 0 }, /* Ferry's kernel says itself how it is */
    };

    (void)state;
    assert_int_equal(policies_keep(&journal, NULL), 0);
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        journal.is_linux = rows[i].is_linux;
        is_noticed = rows[i].is_noticed;
        nr_lost = rows[i].lost;
        nr_late = rows[i].late;
        nr_taken = rows[i].taken;
        done[0] = '\0';
        journal.domid = OLD_ID;
        assert_int_equal(rebuild(), rows[i].err);
        assert_string_equal(done, rows[i].err ? "destroy create nodes unpause destroy "
                                              : "destroy create nodes unpause replug ");
        assert_false(journal.recovering);
    }
}

/* A kernel that has not booted can take no vif: with another id, or if none of them could be rebuilt. */
static void linux_is_up_before_its_guests_are_replugged(void **state)
{
    static const struct {
        bool is_linux, has_other_id, is_noticed;
        int64_t agent_ms, ready_ms, dies_ms;
        int64_t replug_ms, limit_ms; /* -1: never */
    } rows[] = {
        { true, true, false, 9000, 12000, -1, 12000, 168000 },
        { true, false, false, 9000, 12000, -1, 12000, 168000 },
        { true, true, false, 9000, -1, -1, 180000, 0 }, /* its card does not come, say */
        { true, true, false, -1, -1, -1, 30000, 150000 }, /* no agent */
        { true, true, false, 9000, 12000, 4000, -1, -1 },
        { true, false, true, -1, -1, -1, 0, 180000 },
        { false, true, false, -1, -1, -1, 0, 0 },
    };

    (void)state;
    assert_int_equal(policies_keep(&journal, NULL), 0);
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        now_ms = 0;
        runs = false;
        nr_lost = 1;
        journal.is_linux = rows[i].is_linux;
        journal.domid = OLD_ID;
        id_is_taken = rows[i].has_other_id;
        is_noticed = rows[i].is_noticed;
        agent_ms = rows[i].agent_ms;
        ready_ms = rows[i].ready_ms;
        dies_ms = rows[i].dies_ms;
        replug_ms = replug_limit_ms = -1;
        assert_int_equal(rebuild(), rows[i].replug_ms < 0 ? -ECANCELED : 0);
        assert_int_equal(replug_ms, rows[i].replug_ms);
        assert_int_equal(replug_limit_ms, rows[i].limit_ms);
        assert_false(is_mapped);
    }
}

/* Nobody but linux-block knows what was not answered. */
static void disks_are_taken_over_or_closed(void **state)
{
    static const struct {
        bool is_linux, has_block, has_other_id;
        const char *done;
    } rows[] = {
        { true, true, false, "destroy create nodes disks unpause replug disks-wait " },
        { true, false, false, "destroy create nodes disks-close unpause replug disks-wait " },
        { false, true, false, "destroy create nodes disks-close unpause replug disks-wait " },
        { true, true, true, "destroy create disks-destroy unpause replug disks-wait " },
    };

    (void)state;
    assert_int_equal(policies_keep(&journal, NULL), 0);
    nr_disks = 2;
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        done[0] = '\0';
        journal.domid = OLD_ID;
        journal.is_linux = rows[i].is_linux;
        has_block = rows[i].has_block;
        id_is_taken = rows[i].has_other_id;
        assert_int_equal(rebuild(), 0);
        assert_string_equal(done, rows[i].done);
    }
}

/* One that dies before its nodes are there must not be taken for one that has never had a disk. */
static void disks_go_before_their_id_is_forgotten(void **state)
{
    (void)state;
    nr_disks = 1;
    journal.is_linux = has_block = id_is_taken = true;
    changes_allowed = 0; /* its policy cannot be written: it is taken down */
    assert_int_not_equal(rebuild(), 0);
    assert_string_equal(done, "destroy create disks-destroy destroy ");
    assert_int_equal(saved_domid, OLD_ID);
    assert_int_equal(saved_id(), NEW_ID);
}

static void nothing_is_destroyed_while_nobody_says_what_it_served(void **state)
{
    (void)state;
    was_stopped = false;
    vifs_err = -EIO;
    assert_int_equal(rebuild(), -EIO);
    vifs_err = 0;
    vbds_err = -EIO;
    assert_int_equal(rebuild(), -EIO);
    assert_string_equal(done, "");
    assert_false(was_stopped);
    assert_int_equal(journal.domid, OLD_ID);
    vbds_err = 0;
    assert_int_equal(rebuild(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_successor_has_its_policy_before_its_vifs),
        TEST(so_has_one_with_another_id),
        TEST(one_that_cannot_have_it_never_runs),
        TEST(nothing_is_given_up_for_one_that_could_not_have_it),
        TEST(one_without_policy_comes_back_without),
        TEST(a_linux_that_serves_nobody_is_no_successor),
        TEST(linux_is_up_before_its_guests_are_replugged),
        TEST(disks_are_taken_over_or_closed),
        TEST(disks_go_before_their_id_is_forgotten),
        TEST(nothing_is_destroyed_while_nobody_says_what_it_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
