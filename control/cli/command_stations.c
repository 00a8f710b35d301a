/* SPDX-License-Identifier: BSD-2-Clause */
/* stations: which address is behind which port, as the bridges have learnt it. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/observe.h"

#define ROW "%-17s %-5s %-15s %-10s %-16s %s\n"

/* "-" for none. */
static void vid_word(uint16_t vid, char text[8])
{
    snprintf(text, 8, vid ? "%u" : "-", vid);
}

static void station_text(struct observe *observe, const struct ferry_stats_station *station,
                         const struct ferry_stats_port *port)
{
    char guest[GUEST_NAME_SIZE] = "-", mac[OBSERVE_MAC_SIZE], vid[8], age[24];

    if (port->kind == FERRY_PORT_VIF)
        guest_name(&observe->host, port->guest, guest);
    observe_mac(station->mac, mac);
    vid_word(station->vid, vid);
    snprintf(age, sizeof(age), station->is_pinned ? "pinned" : "%u s", station->age_s);
    printf(ROW, mac, vid, port->bridge, port->name, guest, age);
}

static void station_json(struct observe *observe, const struct ferry_stats_station *station,
                         const struct ferry_stats_port *port)
{
    char guest[GUEST_NAME_SIZE], mac[OBSERVE_MAC_SIZE];
    struct json *json = observe->json;

    observe_mac(station->mac, mac);
    json_map_open(json, NULL);
    json_string(json, "mac", mac);
    json_integer(json, "vlan", station->vid);
    json_string(json, "bridge", port->bridge);
    json_string(json, "port", port->name);
    if (port->kind == FERRY_PORT_VIF) {
        guest_name(&observe->host, port->guest, guest);
        json_string(json, "guest", guest);
    }
    json_bool(json, "pinned", station->is_pinned);
    json_integer(json, "age_s", station->age_s);
    json_map_close(json);
}

static void domain_json(struct observe *observe, const struct journal *journal,
                        const struct ferry_stats *stats)
{
    json_map_open(observe->json, NULL);
    json_string(observe->json, "name", journal->name);
    json_integer(observe->json, "known", stats->nr_stations_known);
    json_array_open(observe->json, "stations");
    for (unsigned int i = 0; i < stats->nr_stations; i++)
        station_json(observe, &stats->stations[i], &stats->ports[stats->stations[i].port]);
    json_array_close(observe->json);
    json_map_close(observe->json);
}

static void show(struct observe *observe, const struct journal *journal,
                 const struct ferry_stats *stats)
{
    if (observe->json) {
        domain_json(observe, journal, stats);
        return;
    }
    printf("%s\n" ROW, journal->name, "mac", "vlan", "bridge", "port", "guest", "last heard");
    for (unsigned int i = 0; i < stats->nr_stations; i++)
        station_text(observe, &stats->stations[i], &stats->ports[stats->stations[i].port]);
    if (stats->nr_stations < stats->nr_stations_known)
        printf("%u more are not shown: not heard of for long, or more of one port than there is "
               "room for\n",
               stats->nr_stations_known - stats->nr_stations);
}

int command_stations(int argc, char **argv)
{
    return observe_run(argc, argv, show);
}
