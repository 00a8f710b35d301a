/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols of the linker script (ferry.lds) and of start.S: addresses, not objects. */
#ifndef ARCH_X86_LAYOUT_H
#define ARCH_X86_LAYOUT_H

#include <ferry/image.h>

/* A variable that is written during the first start only, and read only from mm_seal() on. A restart
 * leaves it alone. */
#define __sealed __attribute__((section(".sealed")))

/* Of this image; in read-only memory. */
extern const struct ferry_image image_note;

extern char image_start[], image_end[];
extern char text_start[], text_end[], nic_text_start[], nic_text_end[];
extern char rodata_start[], rodata_end[];
extern char pristine_start[], data_start[], data_end[], bss_start[], bss_end[];
extern char nic_pristine_start[], nic_data_start[], nic_data_end[], nic_bss_start[], nic_bss_end[];
extern char tdata_start[], tdata_end[], tbss_start[], tbss_end[];
extern char guard_0[], guard_1[], guard_2[], guard_3[], guard_4[], guard_5[], guard_6[];
extern char stack_bottom[], stack_top[], fault_stack_bottom[], fault_stack_top[];
extern char recovery_area[], recovery_copy_area[], status_area[], stats_area[], capture_area[];
extern char shared_info_area[], grant_table_area[];
extern char outlive_start[], outlive_end[], sealed_start[], sealed_end[];
extern char pcifront_state_start[], pcifront_state_end[];
extern char restart_entry[];

#endif
