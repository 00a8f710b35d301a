/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dom0 must know of a kernel image to bring its domain back in place: an ELF note in the image.
 * The image lies in dom0 and is trusted; nothing here is read from the domain.
 *
 * All addresses are virtual, which in this kernel is pseudo-physical: frame n is mapped at n << 12.
 */
#ifndef FERRY_IMAGE_H
#define FERRY_IMAGE_H

#ifndef __ASSEMBLER__
#include <stdint.h>
#endif

/* The note: name "Ferry", this type, descriptor struct ferry_image. */
#define FERRY_NOTE_NAME "Ferry"
#define FERRY_NOTE_IMAGE 1

#define FERRY_IMAGE_VERSION 1

/* flags */
#define FERRY_IMAGE_FAULTS 1u /* dies on request: for tests only */

/* Each of the 32 exceptions has its entry point at trap_stubs + vector * this. */
#define FERRY_TRAP_STUB_SIZE 32

/*
 * A start at restart_entry: rdi tells why, rsi where the vCPU stood before (its rip; 0: not known).
 * cr3 must be the domain's own, and rsp have room for an exception's frame below it, for Xen may have
 * kept one from before (the end of the status page is good for that: nothing else is there). Everything
 * else of the vCPU may have any value; event upcalls are masked.
 */
#define FERRY_RESTART_SELF 1u /* the kernel restarts itself */
#define FERRY_RESTART_RELOAD 2u /* dom0 has put text and tables right after a death */
#define FERRY_RESTART_UPGRADE 3u /* dom0 has put another image there, nothing had died */
#define FERRY_RESTART_KIND 0xffu
#define FERRY_RESTART_RESET_NIC 0x100u /* or-ed in: do not keep the NIC running */

#ifndef __ASSEMBLER__
struct ferry_image {
    uint32_t version; /* FERRY_IMAGE_VERSION */
    uint32_t flags; /* FERRY_IMAGE_* */
    uint32_t recovery_version; /* of what one kernel leaves for the next; must be equal */
    uint32_t stats; /* the pages of struct ferry_stats (ferry/stats.h); 0: it has none */
    uint64_t restart_entry;
    uint64_t trap_stubs;
    uint64_t status; /* the page of struct ferry_status (ferry/status.h) */
    uint64_t text_start, text_end; /* executable, read only; whole pages */
    uint64_t rodata_start, rodata_end; /* read only; whole pages */
    uint64_t nic_text_start,
        nic_text_end; /* in the text: a vCPU stopped here cannot keep its NIC */
    uint64_t image_end; /* behind it the domain builder's own pages */
    uint64_t nic_hash; /* images with the same one can take a running NIC over; 0: with none */
};
#endif

#endif
