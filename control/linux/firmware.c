/* SPDX-License-Identifier: BSD-2-Clause */
#include "linux/firmware.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux/pack.h"
#include "util/log.h"

#define FIRMWARE_SIZE_MAX (64u << 20)

/* Of network cards, by how their names begin; Debian 12's section non-free-firmware. */
static const struct {
    const char *begins, *package;
} packages[] = {
    { "rtl_nic/", "firmware-realtek" },
    { "rtlwifi/", "firmware-realtek" },
    { "rtw88/", "firmware-realtek" },
    { "rtw89/", "firmware-realtek" },
    { "bnx2/", "firmware-bnx2" },
    { "bnx2x/", "firmware-bnx2x" },
    { "tigon/", "firmware-misc-nonfree" },
    { "e100/", "firmware-misc-nonfree" },
    { "cxgb3/", "firmware-misc-nonfree" },
    { "cxgb4/", "firmware-misc-nonfree" },
    { "qed/", "firmware-qlogic" },
    { "liquidio/", "firmware-cavium" },
    { "netronome/", "firmware-netronome" },
    { "myri10ge", "firmware-myricom" },
    { "iwlwifi-", "firmware-iwlwifi" },
    { "ath9k_htc/", "firmware-ath9k-htc" },
    { "ath10k/", "firmware-atheros" },
    { "ath11k/", "firmware-atheros" },
    { "brcm/", "firmware-brcm80211" },
    { "mediatek/", "firmware-misc-nonfree" },
    { "intel/ice/", "firmware-misc-nonfree" },
};

const char *firmware_package(const char *name)
{
    for (size_t i = 0; i < sizeof(packages) / sizeof(packages[0]); i++)
        if (strncmp(name, packages[i].begins, strlen(packages[i].begins)) == 0)
            return packages[i].package;
    return NULL;
}

void firmware_begin(struct firmware *firmware, const struct root *root, const char *version,
                    struct tree *tree)
{
    *firmware = (struct firmware){ .root = root, .version = version, .tree = tree };
}

/* Where Linux looks (Documentation/driver-api/firmware/fw_search_path.rst), each also packed. */
static int find(const struct firmware *firmware, const char *name, char path[FILES_PATH_SIZE])
{
    static const char *const endings[] = { "", ".xz", ".zst" };
    const char *version = firmware->version;
    int len = -1;

    for (unsigned int i = 0; i < 4 * 3; i++) {
        const char *ending = endings[i % 3];

        if (i / 3 == 0)
            len = snprintf(path, FILES_PATH_SIZE, "/lib/firmware/updates/%s/%s%s", version, name,
                           ending);
        else if (i / 3 == 1)
            len = snprintf(path, FILES_PATH_SIZE, "/lib/firmware/updates/%s%s", name, ending);
        else if (i / 3 == 2)
            len = snprintf(path, FILES_PATH_SIZE, "/lib/firmware/%s/%s%s", version, name, ending);
        else
            len = snprintf(path, FILES_PATH_SIZE, "/lib/firmware/%s%s", name, ending);
        if (len < FILES_PATH_SIZE && root_has(firmware->root, path))
            return 0;
    }
    return -ENOENT;
}

int firmware_want(struct firmware *firmware, const char *name)
{
    char path[FILES_PATH_SIZE], target[FILES_PATH_SIZE], *packed = NULL, *data;
    size_t packed_len, len;
    const char *why = "";
    int err = find(firmware, name, path);

    if (err) {
        if (!firmware->nr_missing++)
            snprintf(firmware->missing, sizeof(firmware->missing), "%s", name);
        return 0;
    }
    err = root_read(firmware->root, path, FIRMWARE_SIZE_MAX, &packed, &packed_len);
    if (!err && path[strlen(path) - 1] == name[strlen(name) - 1] &&
        strcmp(path + strlen(path) - strlen(name), name) == 0) {
        data = packed;
        len = packed_len;
        packed = NULL;
    } else if (!err) {
        err = pack_undo(packed, packed_len, FIRMWARE_SIZE_MAX, &data, &len, &why);
    }
    free(packed);
    if (err) {
        log_line("%s%s: %s%s%s", firmware->root->path, path, strerror(-err), *why ? ": " : "", why);
        return err;
    }
    firmware->nr_found++;
    snprintf(target, sizeof(target), "usr/lib/firmware/%.400s", name);
    return tree_file(firmware->tree, target, 0644, data, len, path);
}

void firmware_end(const struct firmware *firmware, const char *module)
{
    const char *package = firmware_package(firmware->missing);

    if (!firmware->nr_missing)
        return;
    log_line(
        "module %s: %zu of the %zu firmware files that it names are not installed (%s%s); if the "
        "card needs one, its driver says so on the domain's console%s%s",
        module, firmware->nr_missing, firmware->nr_missing + firmware->nr_found, firmware->missing,
        firmware->nr_missing > 1 ? ", ..." : "", package ? "; Debian has them in the package " : "",
        package ? package : "");
}
