/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Print what each domain has used of the processors: "DOMID NANOSECONDS" a line; then "idle NANOSECONDS", the
 * sum of all processors, and "clock NANOSECONDS", when that was. Runs in dom0.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <xenctrl.h>

#define DOMAINS_MAX 64
#define CPUS_MAX 16

int main(void)
{
    xc_interface *xc = xc_interface_open(NULL, NULL, 0);
    static xc_domaininfo_t domains[DOMAINS_MAX];
    static xc_cpuinfo_t cpus[CPUS_MAX];
    int nr_domains = xc ? xc_domain_getinfolist(xc, 0, DOMAINS_MAX, domains) : -1, nr_cpus;
    struct timespec clock;
    uint64_t idle = 0;

    if (nr_domains < 0 || xc_getcpuinfo(xc, CPUS_MAX, cpus, &nr_cpus) != 0) {
        fprintf(stderr, "domain_times: Xen does not say who used the processors\n");
        return 1;
    }
    for (int i = 0; i < nr_domains; i++)
        printf("%u %" PRIu64 "\n", (unsigned int)domains[i].domain, (uint64_t)domains[i].cpu_time);
    for (int i = 0; i < nr_cpus; i++)
        idle += cpus[i].idletime;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    printf("idle %" PRIu64 "\nclock %" PRIu64 "\n", idle,
           (uint64_t)clock.tv_sec * 1000000000 + (uint64_t)clock.tv_nsec);
    return 0;
}
