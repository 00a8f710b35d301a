/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces for Wireshark: ports and bridges of the driver domains that run. Pure. */
#ifndef CONTROL_EXTCAP_INTERFACES_H
#define CONTROL_EXTCAP_INTERFACES_H

#include <stdbool.h>

#define INTERFACES_MAX 512
#define INTERFACES_DOMAIN_SIZE 64
#define INTERFACES_PORT_SIZE 32 /* also "bridge:NAME" */
#define INTERFACES_SHOWN_SIZE 160

struct interface {
    char domain[INTERFACES_DOMAIN_SIZE], port[INTERFACES_PORT_SIZE];
    char shown
        [INTERFACES_SHOWN_SIZE]; /* in words; has nothing that the protocol would take for its own */
};

struct interfaces {
    unsigned int nr;
    struct interface list[INTERFACES_MAX];
};

/*
 * From the text of `ferry vifs --json`. Ports whose names cannot be an interface's are left out, and those for
 * which there is no room. Returns 0, or -EINVAL: that is not what `ferry vifs` prints.
 */
int interfaces_parse(const char *text, struct interfaces *interfaces_r);

/* "ferry:DOMAIN:PORT" apart. Returns whether it is such a name; then nothing in it means anything to `ferry`'s options. */
bool interfaces_name_parse(const char *name, struct interface *interface_r);

#endif
