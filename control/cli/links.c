/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/links.h"

#include <stdio.h>

void links_json(struct json *json, const struct ferry_stats *stats)
{
    json_array_open(json, "links");
    for (unsigned int i = 0; i < stats->nr_ports; i++) {
        const struct ferry_stats_port *port = &stats->ports[i];

        if (port->kind != FERRY_PORT_NIC)
            continue;
        json_map_open(json, NULL);
        json_string(json, "name", port->name);
        json_bool(json, "up", port->flags & FERRY_PORT_UP);
        if ((port->flags & FERRY_PORT_UP) && port->speed)
            json_integer(json, "speed", port->speed);
        json_map_close(json);
    }
    json_array_close(json);
}

void links_words(const struct ferry_stats_port *nic, char words[LINKS_WORDS_SIZE])
{
    if (!(nic->flags & FERRY_PORT_UP))
        snprintf(words, LINKS_WORDS_SIZE, "NO LINK");
    else if (!nic->speed)
        snprintf(words, LINKS_WORDS_SIZE, "up");
    else
        snprintf(words, LINKS_WORDS_SIZE, "up, %u Mb/s", nic->speed);
}
