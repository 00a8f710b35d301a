/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/setup_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/files.h"
#include "util/log.h"
#include "util/paths.h"

#define IMAGE "ferry-net"
#define IMAGE_ALL "ferry-net-all"
#define INTERFACE_SIZE 16

bool setup_bridge_ok(const char *name)
{
    return strlen(name) < INTERFACE_SIZE && files_name_ok(name);
}

bool setup_kernel_ok(const char *path)
{
    if (*path != '/')
        return false;
    for (const char *at = path; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f || strchr("\"'\\", *at))
            return false;
    return true;
}

bool setup_image_counts(const char *name)
{
    size_t len = strlen(name);

    return strncmp(name, IMAGE, strlen(IMAGE)) == 0 && strchr("-", name[strlen(IMAGE)]) &&
           !(len > 6 && strcmp(name + len - 6, ".debug") == 0) && files_name_ok(name);
}

static int rank(const char *name)
{
    return strcmp(name, IMAGE) == 0 ? 0 : strcmp(name, IMAGE_ALL) == 0 ? 2 : 1;
}

int setup_image_order(const char *a, const char *b)
{
    return rank(a) != rank(b) ? rank(a) - rank(b) : strcmp(a, b);
}

/* Behind the rest. */
static int dom0_text(const struct setup_words *words, char text[SETUP_TEXT_SIZE], int len)
{
    int more = snprintf(
        text + len, SETUP_TEXT_SIZE - (size_t)len,
        "\n"
        "# dom0's own interface, on a vif of the domain from now on. Ferry's; xl(1) overlooks it.\n"
        "dom0_vif      = \"mac=%s,bridge=%s\"\n",
        words->dom0_mac, words->bridge);

    return len + more < SETUP_TEXT_SIZE ? len + more : -E2BIG;
}

int setup_text(const struct setup_words *words, char text[SETUP_TEXT_SIZE])
{
    char interface[INTERFACE_SIZE];
    int len;

    if (!files_name_ok(words->name) || !setup_bridge_ok(words->bridge) ||
        !setup_kernel_ok(words->kernel) || words->memory < SETUP_MEMORY_MIN ||
        words->memory > SETUP_MEMORY_MAX)
        return -EINVAL;
    snprintf(interface, sizeof(interface), "%s", words->interface);
    log_clean_name(interface, sizeof(interface));
    len = snprintf(
        text, SETUP_TEXT_SIZE,
        "# Driver domain %s for the network card %s%s%s, written by `ferry setup`.\n"
        "# What a line may say: xl.cfg(5), and ferry(8) for what `ferry start` takes of it.\n"
        "\n"
        "# Paravirtualized: Xen hands the card to such a domain without dom0's help.\n"
        "type          = \"pv\"\n"
        "\n"
        "# Its name: behind backend= in guests' vif lines, and behind ferry's commands.\n"
        "name          = \"%s\"\n"
        "\n"
        "# Ferry's kernel%s%s. `ferry upgrade` puts another one in.\n"
        "kernel        = \"%s\"\n"
        "\n"
        "# Memory in MB. It must be free: none is taken from dom0.\n"
        "memory        = %u\n"
        "\n"
        "# One processor: one loop serves the card and all guests.\n"
        "vcpus         = 1\n"
        "\n"
        "# Guests' interfaces may have it as their backend.\n"
        "driver_domain = 1\n"
        "\n"
        "# The card by its PCI address, as `lspci -D` shows it: %s is gone from dom0 while the\n"
        "# domain has it. The first one is nic0 below, the next one nic1.\n"
        "pci           = [ \"%s\" ]\n"
        "\n"
        "# The bridge that guests name with bridge=, and its wire. More words: " PATHS_DOCS
        "/configuration.md.\n"
        "extra         = \"bridge=%s,uplink=nic0\"\n",
        words->name, words->address, *interface ? ", dom0's " : "", interface, words->name,
        *words->driver ? "; the card is driven by its " : "", words->driver, words->kernel,
        words->memory, *interface ? interface : "dom0's interface", words->address, words->bridge);
    if (len >= SETUP_TEXT_SIZE)
        return -E2BIG;
    return *words->dom0_mac ? dom0_text(words, text, len) : len;
}
