/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot, as named steps. Vifs are served before the NIC is up: guests get their handshake while the
 * driver waits for its hardware, and what they send meanwhile stays in the guest.
 */
#include <errno.h>

#include <rte_log.h>

#include <xen/sched.h>

#include "eal/eal.h"
#include "eal/nic.h"
#include "eal/pool.h"
#include "libc/libc.h"
#include "main/capture.h"
#include "main/carrier.h"
#include "main/config.h"
#include "main/fault.h"
#include "main/loop.h"
#include "main/shutdown.h"
#include "main/stats.h"
#include "main/steps.h"
#include "main/topology.h"
#include "main/vif_place.h"
#include "main/words.h"
#include "net/egress.h"
#include "pv/mm.h"
#include "pv/start.h"
#include "vif/vif.h"
#include "xen/clock.h"
#include "xen/console.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/gnttab.h"
#include "xen/log.h"
#include "xen/pcifront.h"
#include "xen/recovery.h"
#include "xen/status.h"
#include "xen/xenstore.h"

#define XENSTORE_LIMIT_NS 10000000000ull

/* For what the admin has to mend: not a crash, nothing to recover from. */
static __noreturn void give_up(const char *what)
{
    log_error("%s; shutting down", what);
    console_flush_emergency();
    console_hypervisor_write(what, strlen(what));
    console_hypervisor_write("\n", 1);
    domain_shutdown(SHUTDOWN_poweroff);
}

static void step_end(const char *name)
{
    steps_mark(name);
    domain_watchdog(LOOP_WATCHDOG_BOOT_SECONDS);
}

static void platform_up(void)
{
    if (!recovery_resuming()) {
        recovery_init();
        status_init();
    }
    evtchn_init();
    gnttab_init();
    console_init();
}

static void first_words(void)
{
    char value[16];
    uint32_t id;

    log_info("ferry-net " FERRY_VERSION ": %lu MB, command line '%s'",
             mm_nr_pages() * PAGE_SIZE >> 20, domain_command_line());
    step_end("platform");
    xenstore_init();
    if (xenstore_read_wait("domid", value, sizeof(value), XENSTORE_LIMIT_NS) != 0 ||
        xenstore_parse_u32(value, DOMID_FIRST_RESERVED - 1, &id) != 0)
        give_up("xenstore does not tell our domain id");
    log_info("domain %u", id);
    step_end("xenstore");
}

static void configure(struct config *config)
{
    static const enum log_level levels[] = {
        [CONFIG_LOG_DEBUG] = LOG_DEBUG,
        [CONFIG_LOG_INFO] = LOG_INFO,
        [CONFIG_LOG_WARN] = LOG_WARN,
    };
    char error[CONFIG_ERROR_SIZE];

    if (config_parse(domain_command_line(), MAX_GUEST_CMDLINE, config, error) != 0)
        give_up(error);
    log_set_level(levels[config->log]);
    recovery_note_limit(config->restarts);
}

static void memory_up(void)
{
    int err = eal_init(RTE_LOG_WARNING);

    if (err == -ENOMEM)
        give_up("the memory of this domain does not suffice: give it memory=32 or more");
    else if (err != 0)
        give_up("DPDK's environment cannot be set up");
    if (!recovery_resuming())
        step_end("memory");
}

static void vif_input(struct port *port, struct rte_mbuf **frames, uint16_t nr)
{
    capture_input(port, frames, nr);
    topology_input(port, frames, nr, clock_last());
}

static void forwarding_up(const struct config *config)
{
    const struct vif_host host = {
        .policy = vif_place_policy,
        .attach = vif_place_attach,
        .detach = vif_place_detach,
        .carrier = carrier_of,
        .input = vif_input,
        .is_timed = &stats_is_timed,
        .time_take = stats_latency_take,
        .pool = mbuf_pool(),
        .notes = egress_notes(),
        .queue_mbufs = rte_mempool_avail_count(mbuf_pool()) / 2,
    };

    int err;

    topology_create(config);
    err = vif_init(&host);
    if (err == -EPROTO)
        recovery_ask(3, "what is kept of static grants is damaged");
    if (err != 0)
        give_up("the mbufs are too small for vifs");
}

static void uplinks_add(struct port *const *nics, int nr)
{
    for (int i = 0; i < nr; i++)
        loop_add_nic(nics[i]);
    topology_uplinks_add(nics, nr > 0 ? (unsigned int)nr : 0);
}

/* The devices are there: find their drivers and start them. */
static void nics_start(const struct pcifront_device *devices, int nr)
{
    struct port *nics[LOOP_NICS_MAX];

    nr = nr > 0 && eal_devices_add(devices, (unsigned int)nr) == 0
             ? nic_probe_all(nics, LOOP_NICS_MAX, topology_nic_mtu)
             : 0;
    if (nr == -EMSGSIZE)
        give_up("extra=: an uplink cannot have the mtu= of its bridge; its console says which, and "
                "what is accepted");
    uplinks_add(nics, nr);
    eal_seal();
    status_step(FERRY_STEP_NIC);
}

static void watches_set(void)
{
    if (vif_watch() != 0 || vif_place_watch() != 0)
        give_up("xenstore refuses to watch for vifs");
    if (capture_watch() != 0)
        log_warn("dom0 cannot ask for a capture");
    shutdown_init();
    fault_init();
}

static void start(const struct config *config)
{
    const struct pcifront_device *devices;
    int nr;

    libc_run_constructors();
    memory_up();
    forwarding_up(config);
    watches_set();
    step_end("vifs");
    nr = pcifront_init(&devices);
    step_end("pcifront");
    nics_start(devices, nr);
    step_end("NIC");
    steps_log();
    mm_seal();
}

/* Nothing here waits for dom0: guests are served first. */
static void vifs_resume(void)
{
    int nr = vif_resume();

    gnttab_sweep();
    status_step(FERRY_STEP_VIFS);
    status_page->phase = FERRY_PHASE_SERVING;
    log_info("%d vifs go on where they stood", nr);
}

/* The last to need an event channel of the last start, but for those of a NIC that goes on. */
static void xenstore_resume(void)
{
    xenstore_init();
    evtchn_sweep();
}

static void resume_with_nic(const struct config *config)
{
    struct port *nics[LOOP_NICS_MAX];
    const struct pcifront_device *devices;
    const char *objection = eal_resume();

    if (!objection && pcifront_resume(&devices) < 0)
        objection = "what is known of the PCI devices is damaged";
    if (objection)
        recovery_restart_nic(objection);
    status_step(FERRY_STEP_MEMORY);
    forwarding_up(config);
    uplinks_add(nics, nic_resume(nics, LOOP_NICS_MAX));
    vifs_resume();
    status_step(FERRY_STEP_NIC);
    xenstore_resume();
}

static void resume_without_nic(const struct config *config)
{
    const struct pcifront_device *devices = NULL;
    int nr = pcifront_resume(&devices);

    if (nr < 0)
        recovery_ask(3, "what is known of the PCI devices is damaged");
    /* Before its memory becomes somebody else's. */
    for (int i = 0; i < nr; i++)
        eal_nic_quiet(&devices[i]);
    libc_run_constructors();
    memory_up();
    status_step(FERRY_STEP_MEMORY);
    forwarding_up(config);
    vifs_resume();
    xenstore_resume();
    nics_start(devices, nr);
}

static void resume(const struct config *config)
{
    log_warn("start %u: %s; %s%s", status_page->generation, status_page->reason,
             recovery_keeps_nic() ? "the NIC is kept" : "the NIC is started anew: ",
             recovery_keeps_nic() ? "" : status_page->nic_why);
    status_step(FERRY_STEP_PLATFORM);
    if (recovery_keeps_nic())
        resume_with_nic(config);
    else
        resume_without_nic(config);
    watches_set();
    if (pcifront_watch() != 0)
        log_error("dom0's wishes about the NIC go unheard");
    steps_log_restart();
    words_say();
}

__noreturn void boot(void)
{
    static struct config config;

    platform_up();
    if (!recovery_resuming())
        first_words();
    stats_init(recovery_resuming());
    configure(&config);
    if (recovery_resuming())
        resume(&config);
    else
        start(&config);
    loop_run();
}
