/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include "arch/x86/layout.h"
#include "pv/mm.h"
#include "pv/restart.h"
#include "pv/traps.h"
#include "xen/console.h"
#include "xen/domain.h"
#include "xen/hypercall.h"
#include "xen/log.h"
#include "xen/recovery.h"
#include "xen/status.h"

#define NR_VECTORS 32
#define STUB_SIZE 32
#define VECTOR_PF 14
#define STACK_WORDS 64

extern char trap_stubs[];
extern struct trap_frame trap_frame;
extern uint32_t trap_depth;
void trap_capture(void);
__noreturn void trap_handle(struct trap_frame *frame);

static const char *const vector_names[NR_VECTORS] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range",
    "invalid opcode",
    "no coprocessor",
    "double fault",
    "coprocessor segment",
    "invalid TSS",
    "segment not present",
    "stack fault",
    "general protection",
    "page fault",
    "spurious",
    "x87 error",
    "alignment check",
    "machine check",
    "SIMD error",
    "virtualisation",
    "control protection",
};

void traps_init(void)
{
    static struct trap_info table[NR_VECTORS + 1];

    for (unsigned int i = 0; i < NR_VECTORS; i++) {
        table[i].vector = (uint8_t)i;
        table[i].cs = FLAT_KERNEL_CS;
        table[i].address = (uintptr_t)trap_stubs + i * STUB_SIZE;
    }
    if (hypercall_trap_table_set(table) != 0)
        domain_shutdown(SHUTDOWN_crash);
    panic_set_end(arch_crash);
}

/* The report is written into the status page, from which dom0, the console and the next start read it. */
static size_t report_used;

static void report(const char *fmt, ...) __printf(1, 2);
static void report(const char *fmt, ...)
{
    char *text = status_page->report + report_used;
    size_t room = sizeof(status_page->report) - report_used;
    va_list ap;

    va_start(ap, fmt);
    int len = vsnprintf(text, room, fmt, ap);
    va_end(ap);
    if (len > 0)
        report_used += (size_t)len < room ? (size_t)len : room - 1;
}

void traps_report_none(const char *reason)
{
    status_dying(reason);
    report_used = 0;
    report("ferry: %s\n", reason);
    status_step(FERRY_STEP_REPORTED);
}

/* Past every queue: the ring first, Xen's own console besides. */
void traps_report_say(void)
{
    const char *text = status_page->report;

    status_page->report[sizeof(status_page->report) - 1] = '\0';
    while (*text) {
        size_t len = strcspn(text, "\n");

        len += text[len] == '\n';
        console_flush_emergency(); /* makes room */
        console_write(text, len);
        hypercall_console_write(text, (unsigned int)len);
        text += len;
    }
    console_flush_emergency();
}

static void report_address(const char *what, uint64_t addr)
{
    uintptr_t offset;
    const char *name = symbol_lookup(addr, &offset);

    if (name)
        report("  %s %016lx %s+0x%lx\n", what, (unsigned long)addr, name, (unsigned long)offset);
    else
        report("  %s %016lx\n", what, (unsigned long)addr);
}

static void report_registers(const struct trap_frame *f)
{
    report("  rax %016lx rbx %016lx rcx %016lx\n", f->rax, f->rbx, f->rcx);
    report("  rdx %016lx rsi %016lx rdi %016lx\n", f->rdx, f->rsi, f->rdi);
    report("  rbp %016lx rsp %016lx rfl %016lx\n", f->rbp, f->rsp, f->rflags);
    report("  r8  %016lx r9  %016lx r10 %016lx\n", f->r8, f->r9, f->r10);
    report("  r11 %016lx r12 %016lx r13 %016lx\n", f->r11, f->r12, f->r13);
    report("  r14 %016lx r15 %016lx\n", f->r14, f->r15);
}

/* Words above rsp that point into the text: callers, and some that once were. */
static void report_stack(uint64_t rsp)
{
    uintptr_t sp = rsp & ~7ul;
    const uintptr_t top = (uintptr_t)stack_top;

    if (sp < (uintptr_t)stack_bottom || sp >= top) {
        report("  stack pointer is outside the stack (%016lx to %016lx)\n",
               (unsigned long)(uintptr_t)stack_bottom, (unsigned long)top);
        return;
    }
    report("  stack, words that point into the text:\n");
    for (unsigned int left = STACK_WORDS; left && sp < top; sp += 8) {
        uint64_t word = *(const uint64_t *)sp;

        if (mm_is_text(word)) {
            report_address("   ", word);
            left--;
        }
    }
}

/* Ends this start: with a restart where that may help, else with the domain. */
static __noreturn void die(const char *reason, const struct trap_frame *frame)
{
    status_dying(reason);
    report_used = 0;
    report("ferry: crash: %s\n", reason);
    report_address("rip", frame->rip);
    report_registers(frame);
    report_stack(frame->rsp);
    if (status_page->last_port[0])
        report("  frames in hand: %s\n", status_page->last_port);
    report("  start %u of this kernel, recovery page %s\n", recovery_page()->generation,
           recovery_valid() ? "intact" : "damaged");
    status_step(FERRY_STEP_REPORTED);
    if (recovery_may_restart()) {
        report("ferry: end of report, restarting\n");
        arch_restart_now(FERRY_RESTART_SELF, frame->rip);
    }
    report("ferry: end of report, shutting down\n");
    status_page->ask_depth = recovery_repair() ? 2 : 3;
    traps_report_say();
    domain_shutdown(SHUTDOWN_crash);
}

static const char *access_kind(uint64_t error_code)
{
    if (error_code & 16)
        return "execute";
    return error_code & 2 ? "write" : "read";
}

__noreturn void trap_handle(struct trap_frame *frame)
{
    static char reason[FERRY_STATUS_REASON_SIZE];
    const char *name = frame->vector < NR_VECTORS ? vector_names[frame->vector] : NULL;

    if (frame->vector == VECTOR_PF) {
        unsigned long cr2 = shared_info->vcpu_info[0].arch.cr2;
        uintptr_t offset = 0;
        const char *where = symbol_lookup(frame->rip, &offset);

        snprintf(reason, sizeof(reason), "page fault: %s of %016lx%s at %s+0x%lx",
                 access_kind(frame->error_code), cr2, cr2 < PAGE_SIZE ? " (null)" : "",
                 where ? where : "?", (unsigned long)offset);
    } else {
        snprintf(reason, sizeof(reason), "%s (vector %lu, error code %lx)", name ? name : "trap",
                 frame->vector, frame->error_code);
    }
    die(reason, frame);
}

__noreturn void arch_crash(const char *reason)
{
    /* A fault from here on is nested: no second report. */
    if (__atomic_add_fetch(&trap_depth, 1, __ATOMIC_SEQ_CST) != 1)
        domain_shutdown(SHUTDOWN_crash);
    trap_capture();
    die(reason, &trap_frame);
}
