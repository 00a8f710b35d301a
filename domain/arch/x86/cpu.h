/* SPDX-License-Identifier: BSD-2-Clause */
/* Barriers and a few instructions. Shared rings need no more: Xen's x86 memory is coherent. */
#ifndef ARCH_X86_CPU_H
#define ARCH_X86_CPU_H

#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ul
#define PAGE_MASK (~(PAGE_SIZE - 1))

#define barrier() __asm__ volatile("" ::: "memory")

/* x86 keeps loads in order and stores in order: only a store before a load needs an instruction. */
#define mb() __asm__ volatile("mfence" ::: "memory")
#define rmb() barrier()
#define wmb() barrier()

/* The names xen/io/ring.h asks for. */
#define xen_mb() mb()
#define xen_rmb() rmb()
#define xen_wmb() wmb()

/* Read once, as written: the other side may change it at any moment. */
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define __must_check __attribute__((warn_unused_result))
#define __noreturn __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
