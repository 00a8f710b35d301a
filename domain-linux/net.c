/* SPDX-License-Identifier: BSD-2-Clause */
#include "net.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PCI_DEVICES "/sys/bus/pci/devices"
#define STATE_FORWARDING '3' /* linux/if_bridge.h */

static int socket_fd(void)
{
    static int fd = -1;

    if (fd < 0)
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd;
}

static int request_do(unsigned long request, void *argument)
{
    return ioctl(socket_fd(), request, argument) ? -errno : 0;
}

static int sysfs_write(const char *name, const char *what, const char *value)
{
    char path[128];
    ssize_t put;
    int fd, err;

    snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    put = write(fd, value, strlen(value));
    err = put < 0 ? -errno : 0;
    close(fd);
    return err;
}

static int nic_order(const void *a, const void *b)
{
    return strcmp(((const struct net_nic *)a)->pci, ((const struct net_nic *)b)->pci);
}

/* ".../pci0000:00/0000:00:00.0", perhaps with more behind it: virtio's cards have their own device. */
static bool nic_look(const char *name, struct net_nic *nic_r)
{
    struct ifreq request = { 0 };
    char path[64], *real;
    bool is_pci;

    snprintf(path, sizeof(path), "/sys/class/net/%.15s/device", name);
    real = realpath(path, NULL);
    is_pci = real && strncmp(real, "/sys/devices/pci", 16) == 0;
    snprintf(nic_r->name, sizeof(nic_r->name), "%.15s", name);
    snprintf(nic_r->pci, sizeof(nic_r->pci), "%.127s", is_pci ? real : "");
    free(real);
    if (!is_pci)
        return false;
    memcpy(request.ifr_name, nic_r->name, sizeof(nic_r->name));
    if (request_do(SIOCGIFHWADDR, &request))
        return false;
    memcpy(nic_r->mac, request.ifr_hwaddr.sa_data, sizeof(nic_r->mac));
    return true;
}

/* Class 02 of the PCI Code and ID Assignment: network controllers, of whichever kind. */
static bool is_network(const char *device)
{
    char path[300], class[5] = "";
    int fd;

    snprintf(path, sizeof(path), PCI_DEVICES "/%s/class", device);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (read(fd, class, 4) != 4)
        class[0] = '\0';
    close(fd);
    return strcmp(class, "0x02") == 0;
}

static bool has_interface(const char *device, const struct net_nic *nics, size_t nr)
{
    size_t len = strlen(device);

    for (size_t i = 0; i < nr; i++)
        if (strncmp(nics[i].pci, device, len) == 0 &&
            (!nics[i].pci[len] || nics[i].pci[len] == '/'))
            return true;
    return false;
}

/* Behind the nr_named that are there: the cards that have no interface. */
static size_t nameless_look(struct net_nic nics[NET_NICS_MAX], size_t nr_named)
{
    DIR *dir = opendir(PCI_DEVICES);
    size_t nr = nr_named;
    struct dirent *entry;

    while (dir && nr < NET_NICS_MAX && (entry = readdir(dir))) {
        char path[300], *real;

        if (entry->d_name[0] == '.' || !is_network(entry->d_name))
            continue;
        snprintf(path, sizeof(path), PCI_DEVICES "/%s", entry->d_name);
        real = realpath(path, NULL);
        if (real && !has_interface(real, nics, nr_named)) {
            nics[nr] = (struct net_nic){ 0 };
            snprintf(nics[nr++].pci, sizeof(nics[0].pci), "%.127s", real);
        }
        free(real);
    }
    if (dir)
        closedir(dir);
    return nr;
}

size_t net_nics(struct net_nic nics_r[NET_NICS_MAX])
{
    struct dirent *entry;
    size_t nr = 0;
    DIR *dir = opendir("/sys/class/net");

    if (!dir)
        return 0;
    while ((entry = readdir(dir)) && nr < NET_NICS_MAX)
        if (entry->d_name[0] != '.' && nic_look(entry->d_name, &nics_r[nr]))
            nr++;
    closedir(dir);
    nr = nameless_look(nics_r, nr);
    qsort(nics_r, nr, sizeof(nics_r[0]), nic_order);
    return nr;
}

int net_up(const char *interface)
{
    struct ifreq request = { 0 };
    int err;

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", interface);
    err = request_do(SIOCGIFFLAGS, &request);
    if (err)
        return err;
    request.ifr_flags |= IFF_UP;
    return request_do(SIOCSIFFLAGS, &request);
}

int net_bridge_make(const char *name)
{
    char copy[IFNAMSIZ];
    int err;

    snprintf(copy, sizeof(copy), "%s", name);
    err = request_do(SIOCBRADDBR, copy);
    if (!err)
        err = sysfs_write(name, "bridge/stp_state", "0");
    if (!err)
        err = sysfs_write(name, "bridge/forward_delay", "0");
    return err ? err : net_up(name);
}

int net_bridge_join(const char *bridge, const char *interface)
{
    struct ifreq request = { 0 };

    request.ifr_ifindex = (int)if_nametoindex(interface);
    if (!request.ifr_ifindex)
        return -ENODEV;
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", bridge);
    return request_do(SIOCBRADDIF, &request);
}

bool net_is_bridge(const char *name)
{
    char path[96];

    snprintf(path, sizeof(path), "/sys/class/net/%.15s/bridge", name);
    return access(path, F_OK) == 0;
}

bool net_is_port(const char *bridge, const char *interface)
{
    char path[96];

    snprintf(path, sizeof(path), "/sys/class/net/%.15s/brif/%.15s", bridge, interface);
    return access(path, F_OK) == 0;
}

bool net_is_vif(const char *interface, uint32_t guest, uint32_t handle)
{
    char path[64], wanted[40], *real;
    const char *last;
    bool is_it;

    snprintf(path, sizeof(path), "/sys/class/net/%.15s/device", interface);
    snprintf(wanted, sizeof(wanted), "vif-%u-%u", guest, handle);
    real = realpath(path, NULL);
    last = real ? strrchr(real, '/') : NULL;
    is_it = last && strcmp(last + 1, wanted) == 0;
    free(real);
    return is_it;
}

int net_bridge_only(char name_r[16])
{
    DIR *dir = opendir("/sys/class/net");
    unsigned int nr = 0;
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.' && strlen(entry->d_name) < 16 && net_is_bridge(entry->d_name)) {
            strcpy(name_r, entry->d_name);
            nr++;
        }
    if (dir)
        closedir(dir);
    return nr == 1 ? 0 : -ENOENT;
}

int net_mtu(const char *interface)
{
    struct ifreq request = { 0 };

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", interface);
    return request_do(SIOCGIFMTU, &request) ? 0 : request.ifr_mtu;
}

int net_mtu_set(const char *interface, int mtu)
{
    struct ifreq request = { .ifr_mtu = mtu };

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", interface);
    return request_do(SIOCSIFMTU, &request);
}

int net_mac_set(const char *interface, const uint8_t mac[6])
{
    struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", interface);
    memcpy(request.ifr_hwaddr.sa_data, mac, 6);
    return request_do(SIOCSIFHWADDR, &request);
}

int net_rename(const char *interface, const char *name)
{
    struct ifreq request = { 0 };

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", interface);
    snprintf(request.ifr_newname, sizeof(request.ifr_newname), "%.15s", name);
    return request_do(SIOCSIFNAME, &request);
}

bool net_port_forwards(const char *bridge, const char *interface)
{
    char path[96], state = 0;
    int fd;

    snprintf(path, sizeof(path), "/sys/class/net/%.15s/brif/%.15s/state", bridge, interface);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (read(fd, &state, 1) != 1)
        state = 0;
    close(fd);
    return state == STATE_FORWARDING;
}
