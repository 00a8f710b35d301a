/* SPDX-License-Identifier: BSD-2-Clause */
#include "second.h"

#include <stdbool.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/vcpu.h>

#include "pv/traps.h"
#include "wait.h"
#include "xen/domain.h"
#include "xen/frames.h"
#include "xen/hypercall.h"

#define SECOND 1u /* the vCPU's number */
#define STACK_SIZE 16384
#define DOWN_LIMIT_MS 2000

static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
static struct vcpu_guest_context context;
static bool is_made;

/* Written by the first vCPU while the second one is down, but for is_wanted. */
static second_fn *step;
static struct front *front;
static bool is_wanted;
/* Written by the second one. */
static unsigned long nr_turns;
static uint32_t random_state;

static int vcpu_op(unsigned int cmd, void *arg)
{
    return (int)hypercall__3(__HYPERVISOR_vcpu_op, cmd, SECOND, (uint64_t)arg);
}

/* Down, until the first vCPU brings it up: it goes on behind the hypercall. */
static __noreturn void second_main(void)
{
    traps_init();
    for (;;) {
        while (READ_ONCE(is_wanted)) {
            step(front);
            WRITE_ONCE(nr_turns, nr_turns + 1);
        }
        (void)vcpu_op(VCPUOP_down, NULL);
    }
}

/* Where compiled code looks for the stack protector's canary: the first vCPU's, which nobody changes. */
static uint64_t thread_pointer(void)
{
    uint64_t self;

    __asm__("mov %%fs:0, %0" : "=r"(self));
    return self;
}

/*
 * The first vCPU's address space, flat segments of Xen's, no descriptor tables; exception handlers come first in
 * second_main(), before which nothing can fault. Event upcalls stay masked, as on the first one.
 * Source: xen/arch-x86/xen.h, struct vcpu_guest_context; xen/arch-x86/xen-x86_64.h, FLAT_KERNEL_CS.
 */
static void make(void)
{
    int rc;

    memset(&context, 0, sizeof(context));
    context.flags = VGCF_in_kernel;
    context.user_regs.rip = (uintptr_t)second_main;
    context.user_regs.rsp = (uintptr_t)stack + sizeof(stack) - 8; /* as behind a call */
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.kernel_sp = (uintptr_t)stack + sizeof(stack);
    context.ctrlreg[3] = virt_to_mfn((const void *)start_info->pt_base) << PAGE_SHIFT;
    context.fs_base = thread_pointer();
    shared_info->vcpu_info[SECOND].evtchn_upcall_mask = 1;
    rc = vcpu_op(VCPUOP_initialise, &context);
    if (rc != 0)
        give_up("FAIL: no second vCPU: %d; the domain needs vcpus=2", rc);
    is_made = true;
}

void second_begin(second_fn *wanted, struct front *f)
{
    int rc;

    if (!is_made)
        make();
    step = wanted;
    front = f;
    nr_turns = 0;
    random_state = random_u32();
    WRITE_ONCE(is_wanted, true);
    rc = vcpu_op(VCPUOP_up, NULL);
    if (rc != 0)
        give_up("FAIL: the second vCPU does not come up: %d", rc);
}

static bool is_down(void *ctx)
{
    (void)ctx;
    return vcpu_op(VCPUOP_is_up, NULL) == 0;
}

unsigned long second_end(void)
{
    if (!is_wanted)
        return 0;
    WRITE_ONCE(is_wanted, false);
    if (!wait_until(is_down, NULL, DOWN_LIMIT_MS))
        give_up("FAIL: the second vCPU does not go down");
    return nr_turns;
}

uint32_t second_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

void second_kick(struct front *f)
{
    struct evtchn_send send = { .port = f->port };

    (void)hypercall_evtchn_op(EVTCHNOP_send, &send);
}
