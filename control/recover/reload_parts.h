/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of a reload. */
#ifndef CONTROL_RELOAD_PARTS_H
#define CONTROL_RELOAD_PARTS_H

#include <xenctrl.h>

#include "recover/reload_state.h"

/* Compare text and read-only data with the image, write pages that differ. Returns 0 or -errno. */
int reload_text_put(struct reload *reload);

/* Compare page tables with the reference ones, put entries back that differ. Returns 0 or -errno. */
int reload_tables_put(struct reload *reload);

/*
 * The vCPU as the kernel wants it at restart_entry: as the domain builder makes one, with a handler
 * for each exception (Xen latches one without for good). Pure.
 */
void reload_context_fill(vcpu_guest_context_x86_64_t *context, const struct ferry_image *image,
                         const struct tables *tables, uint32_t kind, uint64_t rip);

#endif
