/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dom0_keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/files.h"
#include "util/log.h"
#include "util/paths.h"
#include "xen/host.h"
#include "xen/pci.h"

#define NET "/sys/class/net"
#define PROC_MAX (4u << 20)
#define WAIT_MS 20000 /* for the driver to make the interface: some load firmware first */
#define RENAME_MS 2000 /* for udev to name it */
#define POLL_MS 100
#define AGAIN_MS                                                                                   \
    10000 /* for who else configures it to be done: its driver, a NIC's link, a daemon */
#define AGAIN_POLL_MS 250

/* Run `ip`. Returns its exit code, or a negative errno.
 *
 *   output    a descriptor for what it prints; -1: where this process prints
 *   is_quiet  what it has against it is not shown */
static int ip_run(char *const argv[], int output, bool is_quiet)
{
    posix_spawn_file_actions_t actions;
    int status, err;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    if (output >= 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    if (is_quiet)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (err)
        return -err;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* What `ip` prints, to be freed. */
static int ip_output(char *const argv[], char **text_r)
{
    int fd = memfd_create("ip", MFD_CLOEXEC), err;
    char path[32];

    if (fd < 0)
        return -errno;
    err = ip_run(argv, fd, false);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (err > 0)
        err = -EIO;
    if (!err)
        err = files_read(path, DOM0_KEEP_ROUTES_MAX, text_r, NULL);
    close(fd);
    return err;
}

/* "NET/INTERFACE/what", whose first line may be wanted. */
static void net_path(const char *interface, const char *what, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, NET "/%s/%s", interface, what);
}

static void net_line(const char *interface, const char *what, char *line, size_t size)
{
    char path[FILES_PATH_SIZE];

    net_path(interface, what, path);
    if (files_read_line(path, line, size) < 0)
        line[0] = '\0';
}

/* Whether an interface is of this device, or of one on it as those of virtio are. */
static bool is_on(const char *interface, const char *device)
{
    char path[FILES_PATH_SIZE], *real;
    size_t len = strlen(device);
    bool is_so;

    net_path(interface, "device", path);
    real = realpath(path, NULL);
    is_so = real && strncmp(real, device, len) == 0 && strchr("/", real[len]);
    free(real);
    return is_so;
}

/* The interface on a device, "" for none. Returns how many there are, or a negative errno. */
static int interface_find(const char *path, char name_r[DOM0_NET_NAME_SIZE])
{
    struct dirent *entry;
    char *device;
    DIR *dir;
    int nr = 0;

    name_r[0] = '\0';
    device = realpath(path, NULL);
    if (!device)
        return -errno;
    dir = opendir(NET);
    if (!dir) {
        free(device);
        return -errno;
    }
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strlen(entry->d_name) < DOM0_NET_NAME_SIZE &&
            is_on(entry->d_name, device)) {
            snprintf(name_r, DOM0_NET_NAME_SIZE, "%s", entry->d_name);
            nr++;
        }
    closedir(dir);
    free(device);
    return nr;
}

/* What is on an interface: a bridge, if bridge_r, and the rest. */
static void over_read(struct dom0_interface *interface, char *bridge_r)
{
    char path[FILES_PATH_SIZE];
    struct dirent *entry;
    DIR *dir;

    net_path(interface->name, "", path);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        const char *name = entry->d_name + strlen("upper_");
        bool is_bridge;

        if (strncmp(entry->d_name, "upper_", strlen("upper_")) != 0 ||
            strlen(name) >= DOM0_NET_NAME_SIZE)
            continue;
        net_path(name, "bridge", path);
        is_bridge = bridge_r && access(path, F_OK) == 0;
        snprintf(is_bridge ? bridge_r : interface->over, DOM0_NET_NAME_SIZE, "%s", name);
    }
    if (dir)
        closedir(dir);
}

static unsigned int ports_count(const char *bridge)
{
    char path[FILES_PATH_SIZE];
    struct dirent *entry;
    unsigned int nr = 0;
    DIR *dir;

    net_path(bridge, "brif", path);
    dir = opendir(path);
    while (dir && (entry = readdir(dir)))
        nr += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return nr;
}

static int addresses_read(struct dom0_interface *interface)
{
    struct ifaddrs *all;
    int err = 0;

    if (getifaddrs(&all))
        return -errno;
    for (struct ifaddrs *at = all; at && !err; at = at->ifa_next) {
        struct dom0_address address;

        /* An address with a label has that for a name: "eth0:1". */
        if (strcspn(at->ifa_name, ":") != strlen(interface->name) ||
            strncmp(at->ifa_name, interface->name, strlen(interface->name)) != 0)
            continue;
        interface->up = interface->up || at->ifa_flags & IFF_UP;
        if (dom0_net_address(at->ifa_addr, at->ifa_netmask, &address))
            continue;
        if (interface->nr_addresses == DOM0_NET_ADDRESSES_MAX)
            err = -E2BIG;
        else
            interface->addresses[interface->nr_addresses++] = address;
    }
    freeifaddrs(all);
    if (err)
        log_line("%s has more than %u addresses: too many to be brought back if something goes "
                 "wrong",
                 interface->name, DOM0_NET_ADDRESSES_MAX);
    return err;
}

static int interface_read(struct dom0_interface *interface)
{
    char *route = NULL, *ipv6_route = NULL;
    int err = addresses_read(interface);

    if (err)
        return err;
    files_read("/proc/net/route", PROC_MAX, &route, NULL);
    files_read("/proc/net/ipv6_route", PROC_MAX, &ipv6_route, NULL); /* not without IPv6 */
    interface->has_default = dom0_net_has_default(route, ipv6_route, interface->name);
    free(route);
    free(ipv6_route);
    return 0;
}

/* Call found() for each of the routes that must be brought back. Returns 0 or what dom0_net_route_words() has against
 * one, or the first that found() returns. */
static int routes_each(const char *text, const char *interface, bool with_via,
                       int (*found)(void *ctx, char *const words[]), void *ctx)
{
    char *copy = strdup(text ? text : ""), *rest = NULL;
    char *words[DOM0_NET_WORDS_MAX];
    int err = copy ? 0 : -ENOMEM;

    for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line && !err;
         line = strtok_r(NULL, "\n", &rest)) {
        int nr = dom0_net_route_words(line, interface, words);

        if (nr < 0)
            err = nr;
        else if (nr > 0 && dom0_net_route_has_via(words) == with_via)
            err = found(ctx, words);
    }
    free(copy);
    return err;
}

static int nothing(void *ctx, char *const words[])
{
    (void)ctx;
    (void)words;
    return 0;
}

static int routes_read(const char *interface, char *family, char **text_r)
{
    char *argv[] = { "ip", family, "route", "show", "table", "all", NULL };
    int err = ip_output(argv, text_r);
    if (err) {
        log_line("the routes of %s could not be read by `ip -%s route`, and so not be brought back "
                 "if something goes wrong: %s; is iproute2 installed?",
                 interface, family + 1, strerror(-err));
        return err;
    }
    err = routes_each(*text_r, interface, false, nothing, NULL);
    if (err)
        log_line("a route by %s has several next hops, and could not be brought back if something "
                 "goes wrong; take it away first (`ip route`)",
                 interface);
    return err;
}

static int all_read(struct dom0_keep *keep, const char *path)
{
    struct dom0_interface *nic = &keep->net.nic, *bridge = &keep->net.bridge;
    int err = interface_find(path, nic->name);

    if (err > 1) {
        log_line("the device has %d interfaces; `ferry setup` knows how to bring one back: write a "
                 "configuration (" PATHS_DOCS "/install.md) and use `ferry start`",
                 err);
        return -EOPNOTSUPP;
    }
    if (err <= 0)
        return 0; /* dom0 has no driver on it */
    keep->index = if_nametoindex(nic->name);
    net_line(nic->name, "mtu", keep->mtu, sizeof(keep->mtu));
    net_line(nic->name, "address", keep->mac, sizeof(keep->mac));
    over_read(nic, bridge->name);
    if (*nic->over) {
        log_line("%s is on %s, would be gone with it, and could not be brought back if something "
                 "goes wrong; take it away first (`ip link`)",
                 nic->over, nic->name);
        return -EOPNOTSUPP;
    }
    err = interface_read(nic);
    if (!err && *bridge->name) {
        over_read(bridge, NULL);
        keep->net.nr_other_ports = ports_count(bridge->name) - 1;
        err = interface_read(bridge);
    }
    if (!err && nic->up)
        err = routes_read(nic->name, "-4", &keep->routes);
    if (!err && nic->up && access("/proc/net/if_inet6", F_OK) == 0)
        err = routes_read(nic->name, "-6", &keep->ipv6_routes);
    return err;
}

static int keep_read(const char *path, struct dom0_keep *keep)
{
    int err = all_read(keep, path);

    if (err)
        dom0_keep_dispose(keep);
    return err;
}

int dom0_keep_read(const struct bdf *bdf, struct dom0_keep *keep_r)
{
    char path[FILES_PATH_SIZE];

    memset(keep_r, 0, sizeof(*keep_r));
    pci_driver(bdf, keep_r->driver, sizeof(keep_r->driver));
    pci_path(bdf, "", path);
    return keep_read(path, keep_r);
}

static void vif_path(int devid, char path[FILES_PATH_SIZE])
{
    snprintf(path, FILES_PATH_SIZE, "/sys/bus/xen/devices/vif-%d", devid);
}

int dom0_keep_read_vif(int devid, struct dom0_keep *keep_r)
{
    char path[FILES_PATH_SIZE];
    int err;

    memset(keep_r, 0, sizeof(*keep_r));
    vif_path(devid, path);
    err = keep_read(path, keep_r);
    keep_r->mac[0] = '\0';
    keep_r->index = 0; /* whichever comes in its place is another interface */
    return err;
}

void dom0_keep_dispose(struct dom0_keep *keep)
{
    free(keep->routes);
    free(keep->ipv6_routes);
    keep->routes = keep->ipv6_routes = NULL;
}

struct restore {
    char name[DOM0_NET_NAME_SIZE];
    char *family;
    bool is_quiet; /* it will be tried again */
    bool failed;
};

/* Run `ip` with up to 4 words and others behind them; what it has against that it says itself. */
static void ip_do(struct restore *restore, char *const words[], char *const more[])
{
    char *argv[DOM0_NET_WORDS_MAX + 8] = { "ip" }, text[256] = "";
    size_t nr = 1, used = 0;
    int err;

    for (; *words; words++)
        argv[nr++] = *words;
    for (; more && *more; more++)
        argv[nr++] = *more;
    err = ip_run(argv, -1, restore->is_quiet);
    if (!err)
        return;
    restore->failed = true;
    if (restore->is_quiet)
        return;
    for (size_t i = 0; argv[i] && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "", argv[i]);
    log_line("`%s` failed%s%s", text, err < 0 ? ": " : "", err < 0 ? strerror(-err) : "");
}

#define LINK(restore, ...)                                                                         \
    ip_do(restore, (char *[]){ "link", "set", "dev", (restore)->name, __VA_ARGS__, NULL }, NULL)

static int route_add(void *ctx, char *const words[])
{
    struct restore *restore = ctx;
    char *more[DOM0_NET_WORDS_MAX];
    size_t nr = 0;

    for (; *words; words++, nr++)
        more[nr] = nr && strcmp(more[nr - 1], "dev") == 0 ? restore->name : *words;
    more[nr] = NULL;
    ip_do(restore, (char *[]){ restore->family, "route", "replace", NULL }, more);
    return 0;
}

static void address_add(struct restore *restore, const struct dom0_address *address)
{
    char text[DOM0_NET_ADDRESS_SIZE];

    if (address->is_link_local)
        return; /* the kernel makes it */
    snprintf(text, sizeof(text), "%s", address->text);
    if (address->is_ipv6)
        ip_do(restore, (char *[]){ "-6", "address", "replace", text, "dev", restore->name, NULL },
              (char *[]){ "nodad", NULL });
    else
        ip_do(restore, (char *[]){ "-4", "address", "replace", text, "dev", restore->name, NULL },
              (char *[]){ "broadcast", "+", NULL });
}

/* The interface, once it is there; it may get its name a little later. */
static int interface_wait(const struct dom0_keep *keep, const char *path, struct restore *restore)
{
    const char *wanted = keep->net.nic.name;
    int64_t start = host_ticks_ms(), seen = 0;
    char name[DOM0_NET_NAME_SIZE];

    for (;;) {
        if (interface_find(path, restore->name) > 0) {
            if (!*wanted || strcmp(restore->name, wanted) == 0)
                return 0;
            seen = seen ? seen : host_ticks_ms();
            if (host_ticks_ms() - seen > RENAME_MS)
                break;
        } else if (host_ticks_ms() - start > WAIT_MS) {
            return -ENODEV;
        }
        host_sleep_ms(POLL_MS);
    }
    snprintf(name, sizeof(name), "%s", wanted);
    LINK(restore, "down");
    LINK(restore, "name", name);
    return interface_find(path, restore->name) > 0 ? 0 : -ENODEV;
}

static void link_restore(const struct dom0_keep *keep, struct restore *restore)
{
    char words[32], now[32];

    net_line(restore->name, "mtu", now, sizeof(now));
    snprintf(words, sizeof(words), "%s", keep->mtu);
    if (*words && strcmp(now, words) != 0)
        LINK(restore, "mtu", words);
    net_line(restore->name, "address", now, sizeof(now));
    snprintf(words, sizeof(words), "%s", keep->mac);
    if (*words && strcmp(now, words) != 0)
        LINK(restore, "address", words);
    snprintf(words, sizeof(words), "%s", keep->net.bridge.name);
    if (*words)
        LINK(restore, "master", words);
    if (keep->net.nic.up)
        LINK(restore, "up");
}

/* Addresses, and the routes that need them. */
static void net_restore(const struct dom0_keep *keep, struct restore *restore)
{
    const struct dom0_interface *nic = &keep->net.nic;

    for (unsigned int i = 0; nic->up && i < nic->nr_addresses; i++)
        address_add(restore, &nic->addresses[i]);
    for (int with_via = 0; with_via < 2; with_via++) {
        restore->family = "-4";
        routes_each(keep->routes, nic->name, with_via, route_add, restore);
        restore->family = "-6";
        routes_each(keep->ipv6_routes, nic->name, with_via, route_add, restore);
    }
}

/* systemd-networkd takes an address that it did not set from an interface that is new to it, and sets its own once there is a
 * link: a route that needs the address is refused in between. So all of it is done again, until it stands. */
static void net_restore_amid_others(const struct dom0_keep *keep, struct restore *restore)
{
    int64_t end = host_ticks_ms() + AGAIN_MS;
    bool link_failed = restore->failed;

    for (;;) {
        restore->is_quiet = host_ticks_ms() < end;
        restore->failed = false;
        net_restore(keep, restore);
        if (!restore->failed || !restore->is_quiet)
            break;
        host_sleep_ms(AGAIN_POLL_MS);
    }
    restore->failed = restore->failed || link_failed;
}

static int keep_restore(const struct dom0_keep *keep, const char *path)
{
    struct restore restore = { 0 };

    if (interface_wait(keep, path, &restore))
        return -ENODEV;
    link_restore(keep, &restore);
    net_restore_amid_others(keep, &restore);
    return restore.failed ? -EIO : 0;
}

int dom0_keep_restore(const struct dom0_keep *keep, const struct bdf *bdf)
{
    const struct dom0_interface *nic = &keep->net.nic;
    char path[FILES_PATH_SIZE];
    int err;

    if (!*nic->name || (if_nametoindex(nic->name) == keep->index && keep->index))
        return 0;
    pci_path(bdf, "", path);
    err = keep_restore(keep, path);
    if (err == -ENODEV)
        log_line("%s has not come back: no interface on the device; see `dmesg`%s%s%s", nic->name,
                 *keep->driver ? ", and /sys/bus/pci/drivers/" : "", keep->driver,
                 *keep->driver ? "/bind" : "");
    return err;
}

int dom0_keep_restore_vif(const struct dom0_keep *keep, int devid)
{
    struct dom0_keep without_mac = *keep;
    char path[FILES_PATH_SIZE];
    int err;

    without_mac.mac[0] = '\0'; /* a vif's is its own */
    vif_path(devid, path);
    err = keep_restore(&without_mac, path);
    if (err == -ENODEV)
        log_line("dom0's interface on vif %d has not come up; see `dmesg`, and `xl network-list 0`",
                 devid);
    return err;
}
