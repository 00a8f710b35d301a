/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/dom0_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/setup_text.h"
#include "journal/journal.h"
#include "journal/unfinished.h"
#include "util/json.h"
#include "util/log.h"

#define RECORD_SIZE_MAX (1u << 20)
#define VIF_SIZE 64 /* "mac=52:54:00:12:34:56,bridge=xenbr0" */
#define WORD_SIZE 16
#define LINE_MAX_SIZE 1024 /* a route */

static const char *const words[] = {
    [DOM0_START] = "start", [DOM0_STOP] = "stop", [DOM0_SETUP] = "setup"
};

const char *dom0_record_word(enum dom0_record_what what)
{
    return words[what];
}

static void vif_put(struct json *json, const struct dom0_vif *vif)
{
    const uint8_t *mac = vif->mac;
    char text[VIF_SIZE];

    if (!*vif->bridge)
        return;
    snprintf(text, sizeof(text), "mac=%02x:%02x:%02x:%02x:%02x:%02x,bridge=%s", mac[0], mac[1],
             mac[2], mac[3], mac[4], mac[5], vif->bridge);
    json_string(json, "vif", text);
}

static void addresses_put(struct json *json, const struct dom0_interface *nic)
{
    json_array_open(json, "addresses");
    for (unsigned int i = 0; i < nic->nr_addresses; i++)
        if (!nic->addresses[i].is_link_local) /* the kernel makes it */
            json_string(json, NULL, nic->addresses[i].text);
    json_array_close(json);
}

/* Those by the interface, a text each. Of a line that is none by it, or has too many words, nothing is put. */
static void routes_put(struct json *json, const char *name, const char *text, const char *interface)
{
    json_array_open(json, name);
    while (text && *text) {
        size_t len = strcspn(text, "\n");
        char *line = strndup(text, len), *at[DOM0_NET_WORDS_MAX];
        char joined[LINE_MAX_SIZE] = "";
        size_t used = 0;

        if (line && dom0_net_route_words(line, interface, at) > 0) {
            for (size_t i = 0; at[i] && used < sizeof(joined); i++)
                used += (size_t)snprintf(joined + used, sizeof(joined) - used, "%s%s", i ? " " : "",
                                         at[i]);
            json_string(json, NULL, used < sizeof(joined) ? joined : "");
        }
        free(line);
        text += len + (text[len] == '\n');
    }
    json_array_close(json);
}

char *dom0_record_encode(const struct dom0_record *record)
{
    const struct dom0_keep *keep = &record->keep;
    const struct dom0_interface *nic = &keep->net.nic;
    char bdf[BDF_SIZE];
    struct json json;

    bdf_format(&record->bdf, bdf);
    json_begin(&json);
    json_map_open(&json, NULL);
    json_string(&json, "what", words[record->what]);
    json_string(&json, "boot", record->boot);
    json_string(&json, "bdf", bdf);
    json_string(&json, "driver", keep->driver);
    vif_put(&json, &record->vif);
    json_string(&json, "interface", nic->name);
    json_integer(&json, "index", keep->index);
    json_string(&json, "mtu", keep->mtu);
    json_string(&json, "mac", keep->mac);
    json_string(&json, "bridge", keep->net.bridge.name);
    json_bool(&json, "up", nic->up);
    addresses_put(&json, nic);
    routes_put(&json, "routes", keep->routes, nic->name);
    routes_put(&json, "ipv6_routes", keep->ipv6_routes, nic->name);
    if (record->config)
        json_string(&json, "config", record->config);
    json_map_close(&json);
    return json_end(&json);
}

static int what_get(yajl_val root, enum dom0_record_what *what_r)
{
    char word[WORD_SIZE];

    if (json_string_get(root, "what", word, sizeof(word)))
        return -EINVAL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            *what_r = (enum dom0_record_what)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int vif_get(yajl_val root, struct dom0_vif *vif)
{
    char text[VIF_SIZE];

    if (!json_get(root, "vif"))
        return 0;
    return json_string_get(root, "vif", text, sizeof(text)) || dom0_vif_parse(text, vif) ? -EINVAL
                                                                                         : 0;
}

/* "" or a number that Linux may have there. */
static bool mtu_ok(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return !text[digits] && digits < 10 && (!digits || *text != '0');
}

static bool mac_ok(const char *text)
{
    uint8_t mac[MAC_SIZE];

    return !*text || mac_read(text, strlen(text), mac);
}

static int interface_get(yajl_val root, struct dom0_keep *keep)
{
    struct dom0_interface *nic = &keep->net.nic, *bridge = &keep->net.bridge;
    int64_t index;

    if (json_string_get(root, "interface", nic->name, sizeof(nic->name)) ||
        (*nic->name && !dom0_net_name_ok(nic->name)) ||
        json_string_get(root, "bridge", bridge->name, sizeof(bridge->name)) ||
        (*bridge->name && !dom0_net_name_ok(bridge->name)) ||
        json_string_get(root, "driver", keep->driver, sizeof(keep->driver)) ||
        (*keep->driver && !files_name_ok(keep->driver)) ||
        json_string_get(root, "mtu", keep->mtu, sizeof(keep->mtu)) || !mtu_ok(keep->mtu) ||
        json_string_get(root, "mac", keep->mac, sizeof(keep->mac)) || !mac_ok(keep->mac) ||
        json_integer_get(root, "index", 0, &index) || index > INT32_MAX ||
        json_bool_get(root, "up", &nic->up))
        return -EINVAL;
    keep->index = (unsigned int)index;
    return 0;
}

static int addresses_get(yajl_val root, struct dom0_interface *nic)
{
    yajl_val list = json_get(root, "addresses");

    if (!YAJL_IS_ARRAY(list) || list->u.array.len > DOM0_NET_ADDRESSES_MAX)
        return -EINVAL;
    for (size_t i = 0; i < list->u.array.len; i++) {
        const char *text = YAJL_GET_STRING(list->u.array.values[i]);

        if (!text || dom0_net_address_parse(text, &nic->addresses[i]))
            return -EINVAL;
    }
    nic->nr_addresses = (unsigned int)list->u.array.len;
    return 0;
}

/* Whether it is one that dom0_keep_restore() would make. */
static bool route_ok(const char *text, const char *interface, bool is_ipv6)
{
    char line[LINE_MAX_SIZE], *at[DOM0_NET_WORDS_MAX];

    if (!text || strlen(text) >= sizeof(line) || strpbrk(text, "\n\t\\"))
        return false;
    snprintf(line, sizeof(line), "%s", text);
    return dom0_net_route_words(line, interface, at) > 0 && dom0_net_route_ok(at, is_ipv6);
}

static int routes_get(yajl_val root, const char *name, const char *interface, bool is_ipv6,
                      char **text_r)
{
    yajl_val list = json_get(root, name);
    size_t size = 1;
    char *end;

    if (!YAJL_IS_ARRAY(list))
        return -EINVAL;
    for (size_t i = 0; i < list->u.array.len; i++) {
        const char *text = YAJL_GET_STRING(list->u.array.values[i]);

        if (!route_ok(text, interface, is_ipv6))
            return -EINVAL;
        size += strlen(text) + 1;
    }
    if (size > DOM0_KEEP_ROUTES_MAX)
        return -EINVAL;
    end = *text_r = calloc(1, size);
    if (!end)
        return -ENOMEM;
    for (size_t i = 0; i < list->u.array.len; i++)
        end += sprintf(end, "%s\n", YAJL_GET_STRING(list->u.array.values[i]));
    return 0;
}

static int config_get(yajl_val root, struct dom0_record *record)
{
    yajl_val value = json_get(root, "config");
    const char *text = YAJL_GET_STRING(value);

    if (!value)
        return 0;
    if (!text || strlen(text) >= SETUP_TEXT_SIZE || record->what != DOM0_SETUP)
        return -EINVAL;
    record->config = strdup(text);
    return record->config ? 0 : -ENOMEM;
}

static int all_get(yajl_val root, struct dom0_record *record)
{
    const char *interface = record->keep.net.nic.name;
    char bdf[BDF_SIZE];
    int err;

    if (what_get(root, &record->what) ||
        json_string_get(root, "boot", record->boot, sizeof(record->boot)) ||
        json_string_get(root, "bdf", bdf, sizeof(bdf)) || bdf_parse(bdf, &record->bdf) ||
        vif_get(root, &record->vif) || interface_get(root, &record->keep) ||
        addresses_get(root, &record->keep.net.nic))
        return -EINVAL;
    err = routes_get(root, "routes", interface, false, &record->keep.routes);
    if (!err)
        err = routes_get(root, "ipv6_routes", interface, true, &record->keep.ipv6_routes);
    return err ? err : config_get(root, record);
}

int dom0_record_decode(const char *text, struct dom0_record *record_r)
{
    struct dom0_record record = { 0 };
    yajl_val root = yajl_tree_parse(text, NULL, 0);
    int err = root ? all_get(root, &record) : -EINVAL;

    yajl_tree_free(root);
    if (err)
        dom0_record_dispose(&record);
    else
        *record_r = record;
    return err;
}

/* What is not to be read back, a name with a blank say, must not be found out when it is too late. */
static int readable_wanted(const char *text)
{
    struct dom0_record record;
    int err = dom0_record_decode(text, &record);

    if (!err)
        dom0_record_dispose(&record);
    return err == -EINVAL ? -EOPNOTSUPP : err;
}

int dom0_record_save(const char *name, const struct dom0_record *record)
{
    struct dom0_record stamped = *record;
    char path[FILES_PATH_SIZE], *text;
    int err = files_dir_make(files_run_dir());

    snprintf(stamped.boot, sizeof(stamped.boot), "%s", journal_boot());
    unfinished_path(name, path);
    text = err ? NULL : dom0_record_encode(&stamped);
    if (!err)
        err = text ? readable_wanted(text) : -ENOMEM;
    if (!err)
        err = files_write(path, text, strlen(text));
    free(text);
    if (err == -EOPNOTSUPP)
        log_line("what dom0 has on %s cannot be noted in %s, and so not be brought back by others "
                 "if this is interrupted: a name, an address or a route is none that is known; "
                 "`ip address` and `ip route show table all` show them",
                 record->keep.net.nic.name, path);
    else if (err)
        log_line("%s: %s%s; without it dom0's network would be lost if this is interrupted", path,
                 strerror(-err), files_todo(err));
    return err;
}

/* Without a word. */
static int load(const char *path, struct dom0_record *record_r)
{
    char *text;
    int err = files_read(path, RECORD_SIZE_MAX, &text, NULL);

    if (err)
        return err;
    err = dom0_record_decode(text, record_r);
    free(text);
    if (err)
        return err;
    if (strcmp(record_r->boot, journal_boot()) == 0)
        return 0;
    dom0_record_dispose(record_r);
    return -ESTALE;
}

int dom0_record_load(const char *name, struct dom0_record *record_r)
{
    char path[FILES_PATH_SIZE];
    int err;

    unfinished_path(name, path);
    err = load(path, record_r);
    if (err == -ESTALE) {
        log_line("%s is of before this machine was booted, and is removed", path);
        dom0_record_remove(name);
        return -ENOENT;
    }
    if (err && err != -ENOENT)
        log_line(
            "%s, which says what dom0's network was before a `ferry` that was cut short, cannot be "
            "read or makes no sense: %s; set dom0's network up by hand, then remove the file",
            path, strerror(-err));
    return err;
}

int dom0_record_peek(const char *name, enum dom0_record_what *what_r)
{
    struct dom0_record record;
    char path[FILES_PATH_SIZE];
    int err;

    unfinished_path(name, path);
    err = load(path, &record);
    if (err)
        return err;
    *what_r = record.what;
    dom0_record_dispose(&record);
    return 0;
}

void dom0_record_remove(const char *name)
{
    char path[FILES_PATH_SIZE];

    unfinished_path(name, path);
    if (unlink(path) && errno != ENOENT)
        log_line("%s: %s%s; remove it, or what it says is done to dom0's network again", path,
                 strerror(errno), files_todo(-errno));
}

void dom0_record_dispose(struct dom0_record *record)
{
    dom0_keep_dispose(&record->keep);
    free(record->config);
    record->config = NULL;
}
