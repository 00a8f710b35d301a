/* SPDX-License-Identifier: BSD-2-Clause */
#include "extcap/interfaces.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <yajl/yajl_tree.h>

#include "util/files.h"

#define PREFIX "ferry:"
#define BRIDGE "bridge:"

_Static_assert(INTERFACES_DOMAIN_SIZE == FILES_NAME_MAX + 1, "a domain's name");

static bool domain_ok(const char *name)
{
    return name[0] != '-' && strlen(name) < INTERFACES_DOMAIN_SIZE && files_name_ok(name);
}

/* A port's name, or a bridge's: an interface's name for Wireshark, and a word for `ferry`. */
static bool port_ok(const char *port)
{
    if (strncmp(port, BRIDGE, strlen(BRIDGE)) == 0)
        port += strlen(BRIDGE);
    return port[0] != '-' && strlen(port) < INTERFACES_PORT_SIZE - strlen(BRIDGE) &&
           files_name_ok(port);
}

/* What is between braces must not have any, and a line is a line. */
static void shown_clean(char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~' || strchr("{}=", *text))
            *text = '?';
}

static void add(struct interfaces *interfaces, const char *domain, const char *port,
                const char *what, const char *of)
{
    struct interface *new = &interfaces->list[interfaces->nr];

    if (interfaces->nr == INTERFACES_MAX || !port_ok(port))
        return;
    for (unsigned int i = 0; i < interfaces->nr; i++)
        if (strcmp(interfaces->list[i].domain, domain) == 0 &&
            strcmp(interfaces->list[i].port, port) == 0)
            return;
    snprintf(new->domain, sizeof(new->domain), "%s", domain);
    snprintf(new->port, sizeof(new->port), "%s", port);
    snprintf(new->shown, sizeof(new->shown), "Ferry %s: %s%s%.64s", domain, port, what, of);
    shown_clean(new->shown);
    interfaces->nr++;
}

static const char *string_of(yajl_val map, const char *name)
{
    const char *path[] = { name, NULL };
    yajl_val value = yajl_tree_get(map, path, yajl_t_string);

    return value ? YAJL_GET_STRING(value) : "";
}

static void domain_add(struct interfaces *interfaces, yajl_val map)
{
    const char *path[] = { "ports", NULL }, *domain = string_of(map, "name");
    yajl_val ports = yajl_tree_get(map, path, yajl_t_array);
    char bridge[INTERFACES_PORT_SIZE];

    if (!ports || !domain_ok(domain))
        return;
    for (size_t i = 0; i < YAJL_GET_ARRAY(ports)->len; i++) {
        yajl_val port = YAJL_GET_ARRAY(ports)->values[i];
        const char *guest = string_of(port, "guest");

        add(interfaces, domain, string_of(port, "port"), *guest ? " of " : "", guest);
    }
    for (size_t i = 0; i < YAJL_GET_ARRAY(ports)->len; i++) {
        const char *name = string_of(YAJL_GET_ARRAY(ports)->values[i], "bridge");

        if (*name && (size_t)snprintf(bridge, sizeof(bridge), BRIDGE "%s", name) < sizeof(bridge))
            add(interfaces, domain, bridge, ", all ports", "");
    }
}

int interfaces_parse(const char *text, struct interfaces *interfaces_r)
{
    yajl_val root = yajl_tree_parse(text, NULL, 0);

    interfaces_r->nr = 0;
    if (!YAJL_IS_ARRAY(root)) {
        yajl_tree_free(root);
        return -EINVAL;
    }
    for (size_t i = 0; i < YAJL_GET_ARRAY(root)->len; i++)
        domain_add(interfaces_r, YAJL_GET_ARRAY(root)->values[i]);
    yajl_tree_free(root);
    return 0;
}

bool interfaces_name_parse(const char *name, struct interface *interface_r)
{
    const char *port;
    size_t len;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return false;
    name += strlen(PREFIX);
    port = strchr(name, ':');
    len = port ? (size_t)(port - name) : 0;
    if (!port || len >= sizeof(interface_r->domain))
        return false;
    memcpy(interface_r->domain, name, len);
    interface_r->domain[len] = '\0';
    if (!domain_ok(interface_r->domain) || !port_ok(port + 1))
        return false;
    snprintf(interface_r->port, sizeof(interface_r->port), "%s", port + 1);
    return true;
}
