/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl_utils.h>
#include <libxlutil.h>

#include "config/cfgkeys.h"
#include "image/kind.h"
#include "util/files.h"
#include "util/log.h"
#include "xen/pci.h"

struct reader {
    const char *path;
    const struct journal *known;
    bool kept; /* the file is the one that was kept: so is the kernel */
    XLU_Config *xlu;
    struct config *config;
    bool is_wrong; /* a value has the wrong type: libxlutil has said which */
};

static int fail(const struct reader *r, const char *what)
{
    log_line("%s: %s", r->path, what);
    return -EINVAL;
}

/* What libxlutil says of a value: whether there is one. Of another type than is wanted is not the same as none. */
static bool is_there(struct reader *r, int result)
{
    if (result && result != ESRCH)
        r->is_wrong = true;
    return !result;
}

static long number(struct reader *r, const char *key, long otherwise)
{
    long value;

    return is_there(r, xlu_cfg_get_long(r->xlu, key, &value, 0)) ? value : otherwise;
}

static void text(struct reader *r, const char *key, char **out)
{
    is_there(r, xlu_cfg_replace_string(r->xlu, key, out, 0));
}

static bool string(struct reader *r, const char *key, const char **value_r)
{
    return is_there(r, xlu_cfg_get_string(r->xlu, key, value_r, 0));
}

static int file_wanted(const struct reader *r, const char *key, const char *path)
{
    char what[FILES_PATH_SIZE];

    if (*path != '/') {
        snprintf(what, sizeof(what), "%s must be a path from the root on: ferryd reads it too",
                 key);
        return fail(r, what);
    }
    if (access(path, R_OK) == 0)
        return 0;
    snprintf(what, sizeof(what), "%s = \"%.400s\" cannot be read: %s", key, path, strerror(errno));
    return fail(r, what);
}

static int identity_read(struct reader *r)
{
    libxl_domain_create_info *info = &r->config->xl.c_info;
    const char *value;

    libxl_domain_create_info_init(info);
    info->type = LIBXL_DOMAIN_TYPE_PV;
    if (string(r, "type", &value) && strcmp(value, "pv") != 0)
        return fail(r, "type must be \"pv\": Xen hands devices to PV domains without dom0's help");
    if (string(r, "builder", &value))
        return fail(r, "builder= is of the past; write type = \"pv\"");
    text(r, "name", &info->name);
    if (!info->name || !files_name_ok(info->name))
        return fail(r, "name must be there, of up to 63 letters, digits, '_', '-' and '.'");
    text(r, "pool", &info->pool_name);
    text(r, "seclabel", &info->ssid_label);
    libxl_defbool_set(&info->driver_domain, number(r, "driver_domain", 1) != 0);
    libxl_uuid_generate(&info->uuid);
    if (string(r, "uuid", &value) && libxl_uuid_from_string(&info->uuid, value))
        return fail(r, "uuid makes no sense");
    return 0;
}

static int path_use_kept(const struct journal *journal, const char *suffix, char **path)
{
    char kept[FILES_PATH_SIZE];

    journal_path(journal->name, suffix, kept);
    free(*path);
    *path = strdup(kept);
    return *path ? 0 : -ENOMEM;
}

/* Whatever has become of the files that it was made from. */
static int kernel_use_kept(const struct journal *journal, libxl_domain_build_info *info)
{
    int err = 0;

    if (journal->kernel[0])
        err = path_use_kept(journal, ".kernel", &info->kernel);
    if (!err && journal->ramdisk[0])
        err = path_use_kept(journal, ".ramdisk", &info->ramdisk);
    return err;
}

static int cmdline_read(struct reader *r)
{
    libxl_domain_build_info *info = &r->config->xl.b_info;
    const char *root = NULL, *extra = NULL;

    text(r, "kernel", &info->kernel);
    if (!info->kernel)
        return fail(r, "kernel= is missing: the path of ferry-net");
    text(r, "ramdisk", &info->ramdisk);
    if (r->kept && kernel_use_kept(r->known, info))
        return -ENOMEM;
    text(r, "cmdline", &info->cmdline);
    if (info->cmdline)
        return 0;
    string(r, "root", &root);
    string(r, "extra", &extra);
    if ((root || extra) &&
        asprintf(&info->cmdline, "%s%s%s%s", root ? "root=" : "", root ? root : "",
                 root && extra ? " " : "", extra ? extra : "") < 0)
        return -ENOMEM;
    return 0;
}

static int build_read(struct reader *r)
{
    libxl_domain_build_info *info = &r->config->xl.b_info;
    long memory = number(r, "memory", 32), vcpus = number(r, "vcpus", 1);
    long max = number(r, "maxvcpus", vcpus);
    int err;

    libxl_domain_build_info_init(info);
    libxl_domain_build_info_init_type(info, LIBXL_DOMAIN_TYPE_PV);
    err = cmdline_read(r);
    if (!err)
        err = file_wanted(r, "kernel", info->kernel);
    if (!err && info->ramdisk)
        err = file_wanted(r, "ramdisk", info->ramdisk);
    if (err)
        return err;
    r->config->is_linux = kind_is_linux(info->kernel);
    if (r->config->is_linux && !number(r, "memory", 0))
        return fail(r, "memory= is missing: without it a domain gets 32 MB, and Linux needs more");
    if (memory < 8 || memory > 1048576)
        return fail(r, "memory must be 8 to 1048576 (MB)");
    if (vcpus < 1 || max < vcpus || max > 128)
        return fail(r, "vcpus must be 1 to 128, and not above maxvcpus");
    info->target_memkb = (uint64_t)memory * 1024;
    info->max_memkb = (uint64_t)number(r, "maxmem", memory) * 1024;
    if (info->max_memkb < info->target_memkb)
        return fail(r, "maxmem is below memory");
    info->max_vcpus = (int)max;
    info->avail_vcpus.size = (uint32_t)(max + 7) / 8;
    info->avail_vcpus.map = calloc(info->avail_vcpus.size, 1);
    if (!info->avail_vcpus.map)
        return -ENOMEM;
    for (int i = 0; i < (int)vcpus; i++)
        libxl_bitmap_set(&info->avail_vcpus, i);
    info->sched_params.weight =
        (int)number(r, "cpu_weight", LIBXL_DOMAIN_SCHED_PARAM_WEIGHT_DEFAULT);
    is_there(r, xlu_cfg_get_defbool(r->xlu, "e820_host", &info->u.pv.e820_host, 0));
    if (libxl_defbool_is_default(info->u.pv.e820_host))
        libxl_defbool_set(&info->u.pv.e820_host, true); /* as xl does with pci= */
    if (number(r, "max_grant_frames", -1) > 0)
        info->max_grant_frames = (uint32_t)number(r, "max_grant_frames", 0);
    if (number(r, "max_maptrack_frames", -1) > 0)
        info->max_maptrack_frames = (uint32_t)number(r, "max_maptrack_frames", 0);
    return 0;
}

/* One word of pci=: an address or an interface, then options of xl's. */
static int nic_read(struct reader *r, const char *word, libxl_device_pci *pci)
{
    char spec[256], where[64], address[BDF_SIZE];
    struct bdf *bdf = &r->config->nics[r->config->nr_nics];
    size_t len;

    if (!word)
        return fail(r, "pci= wants strings: pci = [ \"03:00.0\" ]");
    len = strcspn(word, ",");
    snprintf(where, sizeof(where), "%.*s", (int)(len < 63 ? len : 63), word);
    if (r->known && r->config->nr_nics < r->known->nr_nics && bdf_parse(where, bdf))
        *bdf = r->known->nics[r->config->nr_nics].bdf;
    else if (pci_find(where, bdf))
        return -ENODEV;
    bdf_format(bdf, address);
    snprintf(spec, sizeof(spec), "%s%s", address, word + len);
    pci->permissive = number(r, "pci_permissive", 0) != 0;
    pci->msitranslate = number(r, "pci_msitranslate", 0) != 0;
    pci->power_mgmt = number(r, "pci_power_mgmt", 0) != 0;
    pci->seize = number(r, "pci_seize", 0) != 0;
    if (xlu_pci_parse_spec_string(r->xlu, pci, spec))
        return fail(r, "a word of pci= makes no sense");
    if (pci->permissive)
        r->config->permissive = true;
    r->config->nr_nics++;
    return 0;
}

static int nics_read(struct reader *r)
{
    libxl_domain_config *xl = &r->config->xl;
    XLU_ConfigList *list;
    int nr, err = 0;

    if (xlu_cfg_get_list(r->xlu, "pci", &list, &nr, 0) || nr == 0)
        return fail(r, "pci= is missing: pci = [ \"03:00.0\" ], or [ \"eth0\" ] by its interface");
    if (nr > JOURNAL_NICS_MAX)
        return fail(r, "pci= has more than 8 devices");
    xl->pcidevs = calloc((size_t)nr, sizeof(*xl->pcidevs));
    if (!xl->pcidevs)
        return -ENOMEM;
    for (int i = 0; i < nr && !err; i++) {
        libxl_device_pci_init(&xl->pcidevs[i]);
        xl->num_pcidevs = i + 1;
        err = nic_read(r, xlu_cfg_get_listitem(list, i), &xl->pcidevs[i]);
    }
    return err;
}

/* The one name that is Ferry's own: xl(1) overlooks it. */
static int dom0_vif_read(struct reader *r)
{
    const char *value = NULL, *why;
    char what[160];

    if (!string(r, "dom0_vif", &value))
        return 0;
    why = dom0_vif_parse(value, &r->config->dom0_vif);
    if (!why && r->config->is_linux)
        why = "is for Ferry's kernel: dom0 would wait for its network until Linux has booted";
    if (!why)
        return 0;
    snprintf(what, sizeof(what), "dom0_vif= %s", why);
    return fail(r, what);
}

/* Nobody but ferryd acts on a death. */
static void actions_set(libxl_domain_config *xl)
{
    xl->on_poweroff = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
    xl->on_reboot = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
    xl->on_crash = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
    xl->on_watchdog = LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
}

static int all_read(struct reader *r)
{
    libxl_domain_config *xl = &r->config->xl;
    char names[256], what[320];
    int err;

    if (cfgkeys_unknown(r->config->text, names, sizeof(names))) {
        snprintf(what, sizeof(what), "ferry does not act on: %s; take it out, or use `xl create`",
                 names);
        return fail(r, what);
    }
    err = identity_read(r);
    if (!err)
        err = build_read(r);
    if (!err)
        err = nics_read(r);
    if (!err)
        err = dom0_vif_read(r);
    if (!err && r->is_wrong)
        err = fail(r, "a value is not what its name wants: see above");
    actions_set(xl);
    return err;
}

/* The text, and libxlutil's tree of it. */
static int reader_open(struct reader *r, struct config *config)
{
    int err = files_read(r->path, CONFIG_SIZE_MAX, &config->text, &config->len);

    if (err) {
        log_line("%s: %s", r->path, strerror(-err));
        return err;
    }
    libxl_domain_config_init(&config->xl);
    r->config = config;
    r->xlu = xlu_cfg_init(stderr, r->path);
    if (!r->xlu)
        err = -ENOMEM;
    else if (xlu_cfg_readdata(r->xlu, config->text, (int)config->len))
        err = fail(r, "is not an xl.cfg");
    if (err)
        config_dispose(config);
    if (err && r->xlu)
        xlu_cfg_destroy(r->xlu);
    return err;
}

static int load(const char *path, const struct journal *known, bool kept, struct config *config_r)
{
    struct config config = { 0 };
    struct reader r = { .path = path, .known = known, .kept = kept };
    int err = reader_open(&r, &config);

    if (err)
        return err;
    err = all_read(&r);
    xlu_cfg_destroy(r.xlu);
    if (err)
        config_dispose(&config);
    else
        *config_r = config;
    return err;
}

int config_name(const char *path, char name_r[FILES_NAME_MAX + 1])
{
    struct config config = { 0 };
    struct reader r = { .path = path };
    int err = reader_open(&r, &config);

    if (err)
        return err;
    err = identity_read(&r);
    if (!err)
        snprintf(name_r, FILES_NAME_MAX + 1, "%s", config.xl.c_info.name);
    xlu_cfg_destroy(r.xlu);
    config_dispose(&config);
    return err;
}

int config_load(const char *path, const struct journal *known, struct config *config_r)
{
    return load(path, known, false, config_r);
}

/* An adopted domain's configuration is what libxl knew of it. */
static int adopted_load(libxl_ctx *xl, const struct journal *journal, struct config *config)
{
    char path[FILES_PATH_SIZE];
    int err;

    memset(config, 0, sizeof(*config));
    journal_path(journal->name, ".libxl", path);
    err = files_read(path, CONFIG_SIZE_MAX, &config->text, &config->len);
    if (err) {
        log_line("%s: %s", path, strerror(-err));
        return err;
    }
    libxl_domain_config_init(&config->xl);
    if (libxl_domain_config_from_json(xl, &config->xl, config->text)) {
        log_line("%s makes no sense", path);
        config_dispose(config);
        return -EINVAL;
    }
    if (kernel_use_kept(journal, &config->xl.b_info)) {
        config_dispose(config);
        return -ENOMEM;
    }
    actions_set(&config->xl);
    config->is_linux = journal->is_linux;
    config->nr_nics = journal->nr_nics;
    for (unsigned int i = 0; i < journal->nr_nics; i++)
        config->nics[i] = journal->nics[i].bdf;
    return 0;
}

int config_load_kept(libxl_ctx *xl, const struct journal *journal, struct config *config_r)
{
    char path[FILES_PATH_SIZE];

    if (journal->adopted)
        return adopted_load(xl, journal, config_r);
    journal_path(journal->name, ".cfg", path);
    return load(path, journal, true, config_r);
}

void config_dispose(struct config *config)
{
    libxl_domain_config_dispose(&config->xl);
    free(config->text);
    memset(config, 0, sizeof(*config));
}
