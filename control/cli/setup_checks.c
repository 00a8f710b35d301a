/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/setup_checks.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "check/check.h"
#include "check/pci_rows.h"
#include "cli/command.h"
#include "cli/journal_read.h"
#include "image/kind.h"
#include "journal/journal.h"
#include "util/log.h"
#include "util/paths.h"
#include "xen/pci.h"

#define MTU_OF_BRIDGES 1500 /* without mtu= */

/* What is not there yet, and is not to be: the name as a domain and as a file. */
static int name_free_wanted(struct setup *setup)
{
    struct journal journal;
    struct stat there;
    uint32_t domid;
    int err, len = snprintf(setup->path, sizeof(setup->path), "%s/%s.cfg", files_config_dir(),
                            setup->name);

    if (len >= (int)sizeof(setup->path)) {
        log_line("the path of %s.cfg is too long", setup->name);
        return -ENAMETOOLONG;
    }
    if (lstat(setup->path, &there) == 0) {
        log_line("%s is there already and is not overwritten: `ferry start %s` starts it, --name "
                 "makes another one",
                 setup->path, setup->path);
        return -EEXIST;
    }
    if (libxl_name_to_domid(setup->host.xl, setup->name, &domid) == 0) {
        log_line("a domain %s is there already, with id %u; --name makes another one", setup->name,
                 domid);
        return -EEXIST;
    }
    err = journal_load(setup->name, &journal);
    if (err && err != -ENOENT) {
        journal_fault_tell(setup->name, err);
        return err;
    }
    if (!err && journal.wish == JOURNAL_RUN && !journal_is_of_another_boot(&journal)) {
        log_line("%s was started and has died; `ferry stop %s` first, or --name makes another one",
                 setup->name, setup->name);
        return -EEXIST;
    }
    return 0;
}

struct holder {
    const struct bdf *bdf;
    char name[FILES_NAME_MAX + 1];
    bool unknown; /* one could not be asked */
};

static void holder_look(void *ctx, const char *name)
{
    struct holder *holder = ctx;
    struct journal journal;
    int err = journal_load(name, &journal);

    if (err && err != -ENOENT) {
        journal_fault_tell(name, err);
        holder->unknown = true;
    }
    if (err || journal.wish == JOURNAL_STOP || journal_is_of_another_boot(&journal))
        return;
    for (unsigned int i = 0; i < journal.nr_nics; i++)
        if (bdf_is_same(&journal.nics[i].bdf, holder->bdf))
            snprintf(holder->name, sizeof(holder->name), "%s", name);
}

static int nic_wanted(struct setup *setup)
{
    struct holder holder = { .bdf = &setup->bdf };

    if (pci_find(setup->nic, &setup->bdf))
        return -ENODEV;
    bdf_format(&setup->bdf, setup->address);
    if (journal_read_each(holder_look, &holder))
        holder.unknown = true;
    if (!*holder.name && holder.unknown) {
        log_line("whether %s belongs to another driver domain cannot be told: see above",
                 setup->address);
        return -EBUSY;
    }
    if (!*holder.name)
        return 0;
    log_line("%s belongs to the driver domain %s; `ferry stop %s` gives it back", setup->address,
             holder.name, holder.name);
    return -EBUSY;
}

static int is_image(const struct dirent *entry)
{
    return setup_image_counts(entry->d_name);
}

static int image_compare(const struct dirent **a, const struct dirent **b)
{
    return setup_image_order((*a)->d_name, (*b)->d_name);
}

/* The first of the installed images that drives the card. Returns how many there are, or a negative errno. */
static int image_choose(struct setup *setup, const struct driver_device *device)
{
    const char *dir = files_kernel_dir();
    struct dirent **entries;
    int nr = scandir(dir, &entries, is_image, image_compare);

    if (nr < 0)
        return -errno;
    for (int i = 0; i < nr; i++) {
        char path[FILES_PATH_SIZE];
        int len = snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);

        if (!*setup->kernel && len < (int)sizeof(path) &&
            check_image(device, path, setup->driver) == 0)
            snprintf(setup->kernel, sizeof(setup->kernel), "%s", path);
        free(entries[i]);
    }
    free(entries);
    return nr;
}

/* The kernel that was asked for; whether it drives the card is a row of the check. */
static int kernel_take(struct setup *setup, const struct driver_device *device)
{
    char *real = realpath(setup->kernel_asked, NULL);

    if (!real) {
        log_line("--kernel %s: %s", setup->kernel_asked, strerror(errno));
        return -ENOENT;
    }
    snprintf(setup->kernel, sizeof(setup->kernel), "%s",
             strlen(real) < sizeof(setup->kernel) ? real : "");
    free(real);
    if (kind_is_linux(setup->kernel)) {
        log_line(
            "--kernel %s: is Linux, and setup is for Ferry's kernel: write a configuration with "
            "kernel=, ramdisk= and memory=, and `ferry start` it",
            setup->kernel_asked);
        return -EINVAL;
    }
    if (!setup_kernel_ok(setup->kernel)) {
        log_line("--kernel %s: its path cannot stand in a configuration", setup->kernel_asked);
        return -EINVAL;
    }
    if (check_image(device, setup->kernel, setup->driver))
        setup->driver[0] = '\0';
    return 0;
}

static int kernel_wanted(struct setup *setup)
{
    struct driver_device device;
    int nr;

    check_device(&setup->bdf, &device);
    if (setup->kernel_asked)
        return kernel_take(setup, &device);
    nr = image_choose(setup, &device);
    if (*setup->kernel)
        return 0;
    if (nr > 0)
        log_line("none of the %d images in %s drives %s (%04x:%04x): " PATHS_DOCS
                 "/nics.md has the drivers that there are; `make kernel NICS=...`, then --kernel",
                 nr, files_kernel_dir(), setup->address, device.vendor, device.device);
    else
        log_line("there are no images in %s: install the package ferry-net, or name one by "
                 "--kernel",
                 files_kernel_dir());
    return -ENOENT;
}

/* The rows of `ferry check`. Returns an exit code. */
static int contained_wanted(struct setup *setup)
{
    char rows[256] = "";
    struct check check;
    size_t used = 0;

    check_run(&setup->host, &setup->bdf, false, &setup->bdf, 1, setup->kernel, &check);
    if (check_worst(&check) != CHECK_OK)
        command_check_print(&check, false);
    for (unsigned int i = 0; i < check.nr; i++)
        if (check.rows[i].result == CHECK_REFUSED && used < sizeof(rows))
            used += (size_t)snprintf(rows + used, sizeof(rows) - used, "%s%s", used ? ", " : "",
                                     check.rows[i].name);
    if (!used)
        return EXIT_OK;
    log_line("refused by %s; see above, or `ferry check %s`", rows, setup->nic);
    return EXIT_REFUSED;
}

static int text_make(struct setup *setup)
{
    const struct setup_words words = { .name = setup->name,
                                       .address = setup->address,
                                       .interface = setup->keep.net.nic.name,
                                       .driver = setup->driver,
                                       .kernel = setup->kernel,
                                       .bridge = setup->bridge,
                                       .dom0_mac = setup->dom0_vif ? setup->keep.mac : "",
                                       .memory = setup->memory };
    int len = setup_text(&words, setup->text);

    if (len >= 0)
        return 0;
    log_line("the configuration cannot be written: %s", strerror(-len));
    return len;
}

int setup_checks(struct setup *setup)
{
    int code;

    if (name_free_wanted(setup) || nic_wanted(setup) || kernel_wanted(setup))
        return EXIT_FAILED;
    code = contained_wanted(setup);
    if (code)
        return code;
    printf("%s: %s drives it%s%s\n", setup->address, setup->kernel, *setup->driver ? ", by " : "",
           setup->driver);
    if (setup->no_start && !setup->dom0_vif) {
        struct bdf bdf;

        if (bdf_parse(setup->nic, &bdf))
            snprintf(setup->keep.net.nic.name, DOM0_NET_NAME_SIZE, "%s", setup->nic);
    } else if (dom0_keep_read(&setup->bdf, &setup->keep)) {
        return EXIT_FAILED;
    }
    if (setup->dom0_vif && !*setup->keep.mac) {
        log_line("--dom0-vif: dom0 has no interface on %s that could move behind the driver domain",
                 setup->nic);
        return EXIT_FAILED;
    }
    if (setup->dom0_vif && atoi(setup->keep.mtu) > MTU_OF_BRIDGES) {
        log_line("--dom0-vif: %s has an MTU of %s, and the bridge would have %d: write a "
                 "configuration with mtu= (" PATHS_DOCS
                 "/configuration.md) and dom0_vif= (" PATHS_DOCS
                 "/install.md), and `ferry start` it",
                 setup->nic, setup->keep.mtu, MTU_OF_BRIDGES);
        return EXIT_FAILED;
    }
    setup->nr_uses = dom0_net_uses(&setup->keep.net, NULL, NULL);
    return text_make(setup) ? EXIT_FAILED : EXIT_OK;
}
