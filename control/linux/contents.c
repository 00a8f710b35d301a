/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/contents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/elf.h"
#include "linux/programs.h"
#include "util/bdf.h"
#include "util/log.h"

#define HOOKS "/etc/xen/scripts/vif-post.d" /* of xen-network-common.sh, call_hooks() */
#define INIT_SIZE_MAX (16u << 20)

struct program {
    const char *name, *package;
};

/* What `xl devd` and the stock scripts for vifs run. Without brctl they take ip and bridge, which is one process less for each vif. */
static const struct program programs[] = {
    { "xl", "xen-utils-4.17" },
    { "bash", "bash" },
    { "ip", "iproute2" },
    { "bridge", "iproute2" },
    { "xenstore-read", "xenstore-utils" },
    { "xenstore-write", "xenstore-utils" },
    { "xenstore-exists", "xenstore-utils" },
    { "xenstore-list", "xenstore-utils" },
    { "xenstore-rm", "xenstore-utils" },
    { "awk", "mawk" },
    { "cat", "coreutils" },
    { "cut", "coreutils" },
    { "dirname", "coreutils" },
    { "basename", "coreutils" },
    { "expr", "coreutils" },
    { "mkdir", "coreutils" },
    { "rm", "coreutils" },
    { "sleep", "coreutils" },
    { "stat", "coreutils" },
    { "grep", "grep" },
    { "sed", "sed" },
    { "flock", "util-linux" },
};

static const struct program ovs_programs[] = {
    { "ovs-vsctl", "openvswitch-switch" },
    { "ovsdb-server", "openvswitch-switch" },
    { "ovsdb-tool", "openvswitch-common" },
    { "ovs-vswitchd", "openvswitch-switch" },
};

/* The first ones bring the card up, whose link takes longest; then what guests need. */
static const char *const pci_modules[] = { "xen-pcifront" };
static const char *const base_modules[] = { "bridge", "xen-netback", "xen-gntalloc" };
static const char *const libxl_modules[] = { "xen-privcmd", "xen-evtchn", "xen-gntdev" };
static const char *const ovs_modules[] = { "openvswitch" };
static const char *const nft_modules[] = {
    "br_netfilter", "nf_tables", "nft_compat",      "nft_chain_nat", "nft_masq",
    "nft_ct",       "nft_limit", "nft_reject_inet", "xt_tcpudp",     "xt_conntrack",
    "xt_physdev",   "xt_nat",    "xt_MASQUERADE",
};

static const char *const disk_modules[] = { "sd_mod", "xen-evtchn", "xen-gntdev" };

#define PCI_ALIAS_VIRTIO "pci:v00001AF4"

struct device_kind {
    const char *class, *name;
    const char *
        on_virtio; /* a module that virtio devices of this kind need besides; NULL: its alias leads to it */
};

static const struct device_kind nic_kind = { "0x02", "network card", NULL };
static const struct device_kind disk_kind = { "0x01", "storage controller", "virtio_blk" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int all_want(struct modules *modules, const char *const *names, size_t nr)
{
    int err = 0;

    for (size_t i = 0; !err && i < nr; i++)
        err = modules_want(modules, names[i], names[i]);
    return err;
}

/* A device of a class, "0x02" and so on. A virtio controller has its disk's driver apart, which no PCI alias names. */
static int device_want(const struct root *root, struct modules *modules, const char *text,
                       const struct device_kind *kind)
{
    char path[FILES_PATH_SIZE], address[BDF_SIZE], *alias = NULL, *class = NULL;
    struct bdf bdf;
    int err = bdf_parse(text, &bdf);

    if (err) {
        log_line("'%.40s' is no address of a PCI device (03:00.0); `lspci` shows them", text);
        return err;
    }
    bdf_format(&bdf, address);
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", address);
    err = root_read(root, path, 4096, &class, NULL);
    if (!err) {
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/modalias", address);
        err = root_read(root, path, 4096, &alias, NULL);
    }
    if (err) {
        log_line("%s: there is no such PCI device here (%s: %s); `lspci` shows those that are, "
                 "--drivers names a driver without looking",
                 address, path, strerror(-err));
    } else if (strncmp(class, kind->class, strlen(kind->class)) != 0) {
        log_line("%s: is no %s (its PCI class is %.8s)", address, kind->name, class);
        err = -EINVAL;
    } else {
        alias[strcspn(alias, "\n")] = '\0';
        err = modules_want(modules, alias, address);
        if (!err && kind->on_virtio &&
            strncmp(alias, PCI_ALIAS_VIRTIO, strlen(PCI_ALIAS_VIRTIO)) == 0)
            err = modules_want(modules, kind->on_virtio, address);
    }
    free(alias);
    free(class);
    return err;
}

static int modules_collect(const struct contents *contents, const struct root *root,
                           struct modules *modules)
{
    int err = all_want(modules, pci_modules, COUNT(pci_modules));

    for (size_t i = 0; !err && i < contents->nr_drivers; i++) {
        if (strchr(contents->drivers[i], ':')) {
            log_line("--drivers: '%.60s' is no name of a driver", contents->drivers[i]);
            return -EINVAL;
        }
        err = modules_want(modules, contents->drivers[i], contents->drivers[i]);
    }
    for (size_t i = 0; !err && i < contents->nr_nics; i++)
        err = device_want(root, modules, contents->nics[i], &nic_kind);
    for (size_t i = 0; !err && i < contents->nr_disks; i++)
        err = device_want(root, modules, contents->disks[i], &disk_kind);
    if (!err && contents->has_disks)
        err = all_want(modules, disk_modules, COUNT(disk_modules));
    if (!err)
        err = all_want(modules, base_modules, COUNT(base_modules));
    if (!err && contents->has_scripts)
        err = all_want(modules, libxl_modules, COUNT(libxl_modules));
    if (!err && contents->has_ovs)
        err = all_want(modules, ovs_modules, COUNT(ovs_modules));
    if (!err && contents->has_nft)
        err = all_want(modules, nft_modules, COUNT(nft_modules));
    return err;
}

static int all_add(const struct root *root, struct tree *tree, const struct program *wanted,
                   size_t nr)
{
    int err = 0;

    for (size_t i = 0; !err && i < nr; i++)
        err = programs_add(root, tree, wanted[i].name, wanted[i].package);
    return err;
}

/* iptables is one program with many names, which Debian's alternatives give it. */
static int iptables_add(const struct root *root, struct tree *tree)
{
    static const char *const names[] = { "iptables", "iptables-save", "iptables-restore",
                                         "ip6tables" };
    int err = programs_add(root, tree, "xtables-nft-multi", "iptables");

    for (size_t i = 0; !err && i < COUNT(names); i++) {
        char path[64];

        snprintf(path, sizeof(path), "usr/bin/%s", names[i]);
        err = tree_link(tree, path, "xtables-nft-multi");
    }
    return err ? err
               : programs_dir_add(root, tree, "/usr/lib/x86_64-linux-gnu/xtables", "iptables");
}

static int nft_collect(const struct root *root, struct tree *tree)
{
    bool has_iptables = programs_has(root, "xtables-nft-multi");
    int err = 0;

    if (programs_has(root, "nft") || !has_iptables)
        err = programs_add(root, tree, "nft", "nftables");
    if (!err && has_iptables)
        err = iptables_add(root, tree);
    return err;
}

static int programs_collect(const struct contents *contents, const struct root *root,
                            struct tree *tree)
{
    int err = all_add(root, tree, programs, COUNT(programs));

    if (!err)
        err = tree_link(tree, "usr/bin/sh", "bash");
    if (!err)
        err = programs_dir_add(root, tree, "/etc/xen/scripts", "xen-utils-common");
    if (!err && root_has(root, HOOKS))
        err = programs_dir_add(root, tree, HOOKS, "xen-utils-common");
    if (!err && root_has(root, "/etc/xen/xl.conf"))
        err = programs_file_add(root, tree, "/etc/xen/xl.conf");
    if (!err && contents->has_ovs)
        err = all_add(root, tree, ovs_programs, COUNT(ovs_programs));
    if (!err && contents->has_ovs)
        err = programs_file_add(root, tree, "/usr/share/openvswitch/vswitch.ovsschema");
    if (!err && contents->has_nft)
        err = nft_collect(root, tree);
    return err;
}

/* Where the programs expect to write is in /run, the only place where they can. */
static int places_make(struct tree *tree)
{
    static const char *const dirs[] = {
        "dev", "proc", "sys", "run", "etc/ferry", "root", "var/lib"
    };
    static const struct {
        const char *path, *target;
    } links[] = {
        { "bin", "usr/bin" },
        { "sbin", "usr/bin" },
        { "usr/sbin", "bin" },
        { "lib", "usr/lib" },
        { "lib64", "usr/lib64" },
        { "tmp", "run/tmp" },
        { "var/run", "../run" },
        { "var/lock", "../run/lock" },
        { "var/log", "../run/log" },
        { "var/tmp", "../run/tmp" },
        { "var/lib/xen", "../../run/xen-lib" },
        { "usr/bin/poweroff", "../../init" },
        { "usr/bin/reboot", "../../init" },
    };
    int err = tree_device(tree, "dev/console", 5, 1);

    for (size_t i = 0; !err && i < COUNT(dirs); i++)
        err = tree_dir(tree, dirs[i]);
    for (size_t i = 0; !err && i < COUNT(links); i++)
        err = tree_link(tree, links[i].path, links[i].target);
    return err;
}

/* A static program of Ferry's. */
static int own_place(const char *path, struct tree *tree, const char *name)
{
    struct elf_needs needs;
    char *data;
    size_t len;
    int err = files_read(path, INIT_SIZE_MAX, &data, &len);

    if (err) {
        log_line("%s: %s; is the package ferry whole?", path, strerror(-err));
        return err;
    }
    if (elf_needs(data, len, &needs) || needs.interpreter) {
        log_line("%s: is no static program; is the package ferry whole?", path);
        free(data);
        return -EINVAL;
    }
    return tree_file(tree, name, 0755, data, len, path);
}

/* libxl names the script of a disk, and `xl devd` runs it; linux-block does what it would do. */
static int block_script_place(struct tree *tree)
{
    static const char script[] =
        "#!/bin/sh\n# linux-block serves disks; there is nothing to be done for it.\n";
    char *copy = strdup(script);

    if (!copy)
        return -ENOMEM;
    return tree_file(tree, "etc/xen/scripts/block", 0755, copy, strlen(copy), NULL);
}

/* What linux-vif does not do is said while there is time: hooks, and another stock script. */
static int vif_place(const char *path, const struct root *root, struct tree *tree)
{
    if (root_has(root, HOOKS))
        log_line("%s%s: its hooks are not run by this image; --scripts has it run the host's "
                 "scripts",
                 root->path, HOOKS);
    return own_place(path, tree, "usr/lib/ferry/linux-vif");
}

int contents_collect(const struct contents *contents, const struct root *root,
                     struct modules *modules, struct tree *tree)
{
    int err = modules_collect(contents, root, modules);

    if (!err)
        err = places_make(tree);
    if (!err)
        err = own_place(contents->init, tree, "init");
    if (!err && contents->has_disks)
        err = own_place(contents->block, tree, "usr/lib/ferry/linux-block");
    if (!err && contents->has_disks && contents->has_scripts)
        err = block_script_place(tree);
    if (!err)
        err = modules_place(modules, tree);
    if (!err)
        err = contents->has_scripts ? programs_collect(contents, root, tree)
                                    : vif_place(contents->vif, root, tree);
    if (err == -ENOMEM)
        log_line("there is not enough memory");
    return err;
}
