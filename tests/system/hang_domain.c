/* SPDX-License-Identifier: BSD-2-Clause */
/* hang_domain DOMID: vCPU 0 of a PV domain runs an endless loop from where it stands in its kernel. For scenarios. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenforeignmemory.h>

#define PAGE 4096u
#define KERNEL                                                                                     \
    0xffff800000000000ull /* and above; a process that loops keeps no other from running */
#define TRIES 2000

static const uint8_t loop[] = { 0xeb, 0xfe }; /* jmp to itself */

/* The two bytes may lie in two pages: then another moment is taken. */
static int loop_write(xc_interface *xc, xenforeignmemory_handle *memory, uint32_t domid,
                      uint64_t rip)
{
    xen_pfn_t frame = xc_translate_foreign_address(xc, domid, 0, rip);
    uint8_t *page;
    int err;

    if (rip < KERNEL || !frame || rip % PAGE == PAGE - 1)
        return 1;
    page = xenforeignmemory_map(memory, domid, PROT_READ | PROT_WRITE, 1, &frame, &err);
    if (!page)
        return 1;
    memcpy(page + rip % PAGE, loop, sizeof(loop));
    xenforeignmemory_unmap(memory, page, 1);
    return 0;
}

static int hang(xc_interface *xc, xenforeignmemory_handle *memory, uint32_t domid)
{
    static vcpu_guest_context_any_t context;
    int failed;

    if (xc_domain_pause(xc, domid))
        return 1;
    failed = xc_vcpu_getcontext(xc, domid, 0, &context) ||
             loop_write(xc, memory, domid, context.x64.user_regs.rip);
    if (!failed)
        printf("vCPU 0 stands at %016llx\n", (unsigned long long)context.x64.user_regs.rip);
    return xc_domain_unpause(xc, domid) || failed;
}

int main(int argc, char **argv)
{
    xc_interface *xc = xc_interface_open(NULL, NULL, 0);
    xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
    int failed = 1;

    for (int i = 0; argc == 2 && xc && memory && failed && i < TRIES; i++) {
        failed = hang(xc, memory, (uint32_t)strtoul(argv[1], NULL, 10));
        if (failed)
            usleep(1000);
    }
    if (failed)
        perror("hang_domain");
    return failed;
}
