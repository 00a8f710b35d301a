/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry from the domain builder: rsi holds the address of start_info, interrupts (event upcalls) are
 * masked, the page tables are the builder's. Source: xen/xen.h, "Start-of-day memory layout".
 */
#include <xen/elfnote.h>
#include <xen/xen.h>

#include <ferry/capture.h>
#include <ferry/image.h>
#include <ferry/stats.h>

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

/* For dom0's tools. The last two are sums over what the first link laid out (tools/mksymbols). */
    .section .note.Ferry, "a", @note
    .balign 4
    .long 2f - 1f, 4f - 3f, FERRY_NOTE_IMAGE
1:  .asciz FERRY_NOTE_NAME
2:  .balign 4
    .globl image_note
image_note:
3:  .long FERRY_IMAGE_VERSION
#ifdef FERRY_FAULTS
    .long FERRY_IMAGE_FAULTS
#else
    .long 0
#endif
    .long image_kept_sum, stats_area
    .quad restart_entry
    .quad trap_stubs
    .quad status_area
    .quad text_start, text_end
    .quad rodata_start, rodata_end
    .quad nic_text_start, nic_text_end
    .quad image_end
    .quad image_nic_sum
4:  .balign 4

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
 * Every start but the first: from the trap handlers, or from dom0. rdi: why, rsi: where the vCPU stood
 * (ferry/image.h). An exception that Xen kept from before may come first: trap_common knows it by the
 * address it returns to, which is this one.
 */
    .globl restart_entry
    .type restart_entry, @function
restart_entry:
    cld
    lea stack_top(%rip), %rsp
    xor %ebp, %ebp

    /* Xen holds NMIs and machine checks back until the handler of the last one returns. */
    mov %ss, %eax
    push %rax
    lea stack_top(%rip), %rax
    push %rax                   /* rsp */
    push $2                     /* rflags: event upcalls stay masked */
    mov %cs, %eax
    and $~3, %eax               /* a ring below 3: back into this kernel */
    push %rax
    lea 1f(%rip), %rax
    push %rax                   /* rip */
    push $0                     /* flags: to kernel mode, rcx and r11 from here */
    push %rcx
    push %r11
    push %rax
    mov $__HYPERVISOR_iret, %eax
    syscall
    ud2
1:
    call arch_restart
    ud2
    .size restart_entry, . - restart_entry

/*
 * Stacks, the recovery pages and what Xen maps, each between pages that mm_init() unmaps. More that is
 * kept over a restart follows in ferry.lds.
 */
    .macro area name size
    .globl \name
\name:
    .skip \size
    .endm

    .section .guarded, "aw", @nobits
    .balign 4096
    area guard_0 4096
    area stack_bottom 65536
    .globl stack_top
stack_top:
    area guard_1 4096
    area fault_stack_bottom 16384
    .globl fault_stack_top
fault_stack_top:
    area guard_2 4096
    area recovery_area 4096
    area guard_3 4096
    area recovery_copy_area 4096
    area guard_4 4096
    area status_area 4096
    area stats_area FERRY_STATS_BYTES
    area capture_area FERRY_CAPTURE_BYTES
    area shared_info_area 4096
    area grant_table_area 4096
    area guard_5 4096

    .section .note.GNU-stack, "", @progbits
