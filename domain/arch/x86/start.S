/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry from the domain builder: rsi holds the address of start_info, interrupts (event upcalls) are
 * masked, the page tables are the builder's. Source: xen/xen.h, "Start-of-day memory layout".
 */
#include <xen/elfnote.h>

#define NOTE(type, desc)                                                                           \
    .pushsection .note.Xen, "a", @note;                                                            \
    .balign 4;                                                                                     \
    .long 2f - 1f, 4f - 3f, type;                                                                  \
1:  .asciz "Xen";                                                                                  \
2:  .balign 4;                                                                                     \
3:  desc;                                                                                          \
4:  .balign 4;                                                                                     \
    .popsection

    NOTE(XEN_ELFNOTE_GUEST_OS, .asciz "Ferry")
    NOTE(XEN_ELFNOTE_GUEST_VERSION, .asciz FERRY_VERSION)
    NOTE(XEN_ELFNOTE_LOADER, .asciz "generic")
    NOTE(XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0")
    NOTE(XEN_ELFNOTE_VIRT_BASE, .quad 0)
    NOTE(XEN_ELFNOTE_PADDR_OFFSET, .quad 0)
    NOTE(XEN_ELFNOTE_ENTRY, .quad _start)
    NOTE(XEN_ELFNOTE_PAE_MODE, .asciz "yes")

    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    cld
    lea stack_top(%rip), %rsp
    xor %ebp, %ebp
    mov %rsi, %rdi
    call arch_start
    ud2
    .size _start, . - _start

/*
 * Stacks and the recovery page, each between pages that mm_init() unmaps. The labels of guards are
 * used there.
 */
    .section .guarded, "aw", @nobits
    .balign 4096
    .globl guard_0, guard_1, guard_2, guard_3, stack_bottom, stack_top, fault_stack_top
    .globl recovery_area, shared_info_area, grant_table_area
guard_0:
    .skip 4096
stack_bottom:
    .skip 65536
stack_top:
guard_1:
    .skip 4096
    .skip 16384
fault_stack_top:
guard_2:
    .skip 4096
recovery_area:
    .skip 4096
guard_3:
    .skip 4096
shared_info_area:
    .skip 4096
grant_table_area:
    .skip 4096

    .section .note.GNU-stack, "", @progbits
