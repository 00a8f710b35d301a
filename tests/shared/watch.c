/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every access of the backend to a page that it shares with a guest is written down: which instruction,
 * which bytes, read or written. For tools/check-shared-loads, which links this with the tests of domain/vif and
 * with the very objects that the kernel's image is made of.
 *
 * A ring that gnttab_map() gives out is a second mapping of the guest's page, with no access at all. An access faults, is
 * noted, and its one instruction is stepped over. The guest of the tests has its own mapping, which is free.
 *
 * FERRY_ACCESSES names the file that the notes go to.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <xen/xen.h>

#include <xen/grant_table.h>

#define PAGE 4096u
#define PAGES_MAX 256
#define SLOTS_MAX 1024
#define TRAP_FLAG 0x100
#define FAULT_WRITE 2

/* The form tools/check-shared-loads reads: little-endian, 24 bytes. */
struct note {
    uint64_t rip;
    uint32_t mapping; /* counted over all */
    uint32_t turn; /* counts the calls from outside into the backend */
    uint16_t offset; /* in the page */
    uint16_t write;
    uint32_t zero;
};
_Static_assert(sizeof(struct note) == 24, "as the reader has it");

struct mapping {
    uint8_t *at; /* NULL: not in use */
    uint32_t number;
};

static void *pages[PAGES_MAX]; /* of the guests */
static struct mapping mappings[SLOTS_MAX], *stepping;
static uint32_t nr_mappings, turn;
static FILE *out;

void *__wrap_aligned_alloc(size_t align, size_t len);
void *__real_aligned_alloc(size_t align, size_t len);
void __wrap_free(void *at);
void __real_free(void *at);
int __wrap_gnttab_map(domid_t peer, grant_ref_t ref, void **va_r, unsigned int *slot_r);
int __real_gnttab_map(domid_t peer, grant_ref_t ref, void **va_r, unsigned int *slot_r);
void __wrap_gnttab_unmap(unsigned int slot);
void __real_gnttab_unmap(unsigned int slot);
int __wrap_gnttab_resume(unsigned int slot, domid_t peer, grant_ref_t ref, void **va_r);
int __real_gnttab_resume(unsigned int slot, domid_t peer, grant_ref_t ref, void **va_r);
bool __wrap_fake_store_step(void);
bool __real_fake_store_step(void);
unsigned int __wrap_vif_receive_all(void);
unsigned int __real_vif_receive_all(void);
void __wrap_vif_flush_all(void);
void __real_vif_flush_all(void);
bool __wrap_vif_arm_all(void);
bool __real_vif_arm_all(void);

/* Of librte_eal.a in the kernel, and of the program here: its objects are not position-independent. */
__thread unsigned int per_lcore__lcore_id;

static void give_up(const char *why)
{
    fprintf(stderr, "watch: %s\n", why);
    _exit(3);
}

static struct mapping *mapping_at(const void *at)
{
    for (unsigned int i = 0; i < SLOTS_MAX; i++)
        if (mappings[i].at && (const uint8_t *)at - mappings[i].at < (ptrdiff_t)PAGE &&
            (const uint8_t *)at >= mappings[i].at)
            return &mappings[i];
    return NULL;
}

/* The instruction faults once more, and ends the program. */
static void fault_for_good(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };

    sigaction(SIGSEGV, &action, NULL);
}

static void on_fault(int signal_number, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct mapping *m = mapping_at(info->si_addr);
    struct note note = { .rip = (uint64_t)regs[REG_RIP], .turn = turn };

    (void)signal_number;
    if (!m || stepping) {
        fault_for_good();
        return;
    }
    note.mapping = m->number;
    note.offset = (uint16_t)((uint8_t *)info->si_addr - m->at);
    note.write = (regs[REG_ERR] & FAULT_WRITE) != 0;
    if (fwrite(&note, sizeof(note), 1, out) != 1)
        give_up("cannot write the notes");
    mprotect(m->at, PAGE, PROT_READ | PROT_WRITE);
    stepping = m;
    regs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int signal_number, siginfo_t *info, void *context)
{
    (void)signal_number;
    (void)info;
    if (!stepping)
        give_up("a step of nothing");
    mprotect(stepping->at, PAGE, PROT_NONE);
    stepping = NULL;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

/* cmocka's own handlers would take the place of these, for each test anew. It calls this. */
sighandler_t signal(int number, sighandler_t handler)
{
    struct sigaction old, action = { .sa_handler = handler };

    if (number == SIGSEGV)
        return SIG_DFL;
    return sigaction(number, &action, &old) ? SIG_ERR : old.sa_handler;
}

__attribute__((constructor)) static void watch_start(void)
{
    struct sigaction fault = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    struct sigaction step = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
    const char *name = getenv("FERRY_ACCESSES");

    out = name ? fopen(name, "wb") : NULL;
    if (!out)
        give_up("FERRY_ACCESSES must name a file for the notes");
    sigaction(SIGSEGV, &fault, NULL);
    sigaction(SIGTRAP, &step, NULL);
}

__attribute__((destructor)) static void watch_end(void)
{
    if (fclose(out))
        give_up("cannot write the notes");
}

/* One page each, shared, so that it can be mapped a second time. */
void *__wrap_aligned_alloc(size_t align, size_t len)
{
    if (len != PAGE)
        return __real_aligned_alloc(align, len);
    for (unsigned int i = 0; i < PAGES_MAX; i++)
        if (!pages[i]) {
            pages[i] = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
            if (pages[i] == MAP_FAILED)
                give_up("no memory");
            return pages[i];
        }
    give_up("too many pages");
    return NULL;
}

void __wrap_free(void *at)
{
    for (unsigned int i = 0; at && i < PAGES_MAX; i++)
        if (pages[i] == at) {
            munmap(at, PAGE);
            pages[i] = NULL;
            return;
        }
    __real_free(at);
}

int __wrap_gnttab_map(domid_t peer, grant_ref_t ref, void **va_r, unsigned int *slot_r)
{
    void *page;
    int err = __real_gnttab_map(peer, ref, &page, slot_r);
    struct mapping *m;

    if (err)
        return err;
    m = &mappings[*slot_r];
    m->at = mremap(page, 0, PAGE, MREMAP_MAYMOVE);
    if (m->at == MAP_FAILED || mprotect(m->at, PAGE, PROT_NONE))
        give_up("a ring that is no page of aligned_alloc()");
    m->number = ++nr_mappings;
    *va_r = m->at;
    return 0;
}

void __wrap_gnttab_unmap(unsigned int slot)
{
    __real_gnttab_unmap(slot);
    munmap(mappings[slot].at, PAGE);
    mappings[slot].at = NULL;
}

int __wrap_gnttab_resume(unsigned int slot, domid_t peer, grant_ref_t ref, void **va_r)
{
    int err = __real_gnttab_resume(slot, peer, ref, va_r);

    if (!err)
        *va_r = mappings[slot].at;
    return err;
}

bool __wrap_fake_store_step(void)
{
    turn++;
    return __real_fake_store_step();
}

unsigned int __wrap_vif_receive_all(void)
{
    unsigned int nr;

    turn++;
    nr = __real_vif_receive_all();
    turn++;
    return nr;
}

void __wrap_vif_flush_all(void)
{
    turn++;
    __real_vif_flush_all();
    turn++;
}

bool __wrap_vif_arm_all(void)
{
    bool work;

    turn++;
    work = __real_vif_arm_all();
    turn++;
    return work;
}
