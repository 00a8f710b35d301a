/* SPDX-License-Identifier: BSD-2-Clause */
/* read_status DOMID REFERENCE: what a Linux driver domain says of itself, as dom0 sees it; then waits, and reads the beat again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ferry/status.h>
#include <xen/xen.h>

#include <xen/grant_table.h>

#include <xen/gntdev.h>

#define WAIT_MS 1000

/* The page, or NULL. The descriptor is for ending it. */
static void *map(int fd, struct ioctl_gntdev_map_grant_ref *grant, int protection)
{
    void *page;

    if (ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, grant))
        return NULL;
    page = mmap(NULL, 4096, protection, MAP_SHARED, fd, (off_t)grant->index);
    return page == MAP_FAILED ? NULL : page;
}

int main(int argc, char **argv)
{
    struct ioctl_gntdev_map_grant_ref grant = { .count = 1 };
    const volatile struct ferry_status *status;
    unsigned long long beat;
    int fd = open("/dev/xen/gntdev", O_RDWR);

    if (argc != 3 || fd < 0)
        return 2;
    grant.refs[0].domid = (domid_t)atoi(argv[1]);
    grant.refs[0].ref = (grant_ref_t)strtoul(argv[2], NULL, 10);
    if (map(fd, &grant, PROT_READ | PROT_WRITE)) {
        puts("the page can be written to");
        return 1;
    }
    close(fd);
    fd = open("/dev/xen/gntdev", O_RDWR);
    status = map(fd, &grant, PROT_READ);
    if (!status) {
        perror("the page cannot be mapped");
        return 1;
    }
    beat = status->beat;
    usleep(WAIT_MS * 1000);
    printf("%d %u %u %u %llu\n", status->magic == FERRY_STATUS_MAGIC, status->version,
           status->phase, status->generation, (unsigned long long)status->beat - beat);
    return 0;
}
