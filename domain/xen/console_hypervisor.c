/* SPDX-License-Identifier: BSD-2-Clause */
#include "xen/console.h"
#include "xen/hypercall.h"

void console_hypervisor_write(const char *text, size_t len)
{
    hypercall_console_write(text, (unsigned int)len);
}
