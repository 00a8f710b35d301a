/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exception entry. Xen has pushed, on the stack of whoever faulted: rcx, r11, the error code where
 * there is one, rip, cs, rflags, rsp, ss (rsp points at rcx). That stack may be bad and its red zone
 * is already lost, so nothing more is written to it: registers go to a static frame, the handler runs
 * on a stack of its own. A fault inside the handler ends the domain at once.
 * Source: xen/arch-x86/xen-x86_64.h; Xen's create_bounce_frame.
 */
#include <xen/xen.h>

#define SHUTDOWN_crash 3
#define SCHEDOP_shutdown 2

#define FRAME(n) (trap_frame + 8 * (n))

    .altmacro
    .macro stub vector has_error
    .balign 32
    movq $\vector, FRAME(15)
    movb $\has_error, trap_has_error
    jmp trap_common
    .endm

    .section .text.entry, "ax", @progbits
    .balign 32
    .globl trap_stubs
trap_stubs:
    .set n, 0
    .rept 32
    .if n == 8 || (n >= 10 && n <= 14) || n == 17 || n == 21
    stub %n, 1
    .else
    stub %n, 0
    .endif
    .set n, n + 1
    .endr

    .balign 16
trap_common:
    /* One that Xen kept from before dom0 put the vCPU there: nothing is wrong now. */
    mov %rax, FRAME(0)
    movzbl trap_has_error, %eax
    mov 16(%rsp,%rax,8), %rax   /* rip */
    cmp $restart_entry, %rax
    je restart_entry

    lock incl trap_depth
    cmpl $1, trap_depth
    jne trap_nested

    mov %rbx, FRAME(1)
    mov %rdx, FRAME(3)
    mov %rsi, FRAME(4)
    mov %rdi, FRAME(5)
    mov %rbp, FRAME(6)
    mov %r8, FRAME(7)
    mov %r9, FRAME(8)
    mov %r10, FRAME(9)
    mov %r12, FRAME(11)
    mov %r13, FRAME(12)
    mov %r14, FRAME(13)
    mov %r15, FRAME(14)

    mov %rsp, %rbx
    mov 0(%rbx), %rax
    mov %rax, FRAME(2)          /* rcx */
    mov 8(%rbx), %rax
    mov %rax, FRAME(10)         /* r11 */
    add $16, %rbx
    movq $0, FRAME(16)
    cmpb $0, trap_has_error
    je 1f
    mov (%rbx), %rax
    mov %rax, FRAME(16)
    add $8, %rbx
1:
    mov 0(%rbx), %rax
    mov %rax, FRAME(17)         /* rip */
    mov 8(%rbx), %rax
    mov %eax, FRAME(18)         /* cs: the upper half carries the saved upcall mask */
    mov 16(%rbx), %rax
    mov %rax, FRAME(19)         /* rflags */
    mov 24(%rbx), %rax
    mov %rax, FRAME(20)         /* rsp */
    mov 32(%rbx), %rax
    mov %rax, FRAME(21)         /* ss */

    cld
    lea fault_stack_top, %rsp
    xor %ebp, %ebp
    mov $trap_frame, %edi
    call trap_handle
    ud2

trap_nested:
    movl $SHUTDOWN_crash, shutdown_reason
    mov $__HYPERVISOR_sched_op, %eax
    mov $SCHEDOP_shutdown, %edi
    mov $shutdown_reason, %esi
    syscall
    jmp trap_nested

/* arch_restart_now(why, rip): leaves the stack it is called on. */
    .globl arch_restart_now
arch_restart_now:
    jmp restart_entry

/* arch_crash() without a fault: the registers as the caller has them. rdi: the reason. */
    .globl trap_capture
trap_capture:
    mov %rax, FRAME(0)
    mov %rbx, FRAME(1)
    mov %rcx, FRAME(2)
    mov %rdx, FRAME(3)
    mov %rsi, FRAME(4)
    mov %rdi, FRAME(5)
    mov %rbp, FRAME(6)
    mov %r8, FRAME(7)
    mov %r9, FRAME(8)
    mov %r10, FRAME(9)
    mov %r11, FRAME(10)
    mov %r12, FRAME(11)
    mov %r13, FRAME(12)
    mov %r14, FRAME(13)
    mov %r15, FRAME(14)
    mov (%rsp), %rax
    mov %rax, FRAME(17)
    lea 8(%rsp), %rax
    mov %rax, FRAME(20)
    ret

    .section .bss
    .balign 8
    .globl trap_frame, trap_depth
trap_frame:
    .skip 8 * 22
trap_depth:
    .skip 4
shutdown_reason:
    .skip 4
trap_has_error:
    .skip 1

    .section .note.GNU-stack, "", @progbits
