/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols of the linker script (ferry.lds) and of start.S: addresses, not objects. */
#ifndef ARCH_X86_LAYOUT_H
#define ARCH_X86_LAYOUT_H

extern char image_start[], image_end[];
extern char text_start[], text_end[];
extern char rodata_start[], rodata_end[];
extern char pristine_start[], data_start[], data_end[];
extern char bss_start[], bss_end[];
extern char tdata_start[], tdata_end[], tbss_start[], tbss_end[];
extern char guard_0[], guard_1[], guard_2[], guard_3[];
extern char stack_bottom[], stack_top[], fault_stack_top[];
extern char recovery_area[], shared_info_area[], grant_table_area[];

#endif
