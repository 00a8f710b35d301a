/* SPDX-License-Identifier: BSD-2-Clause */
/* dom0_vif= of a configuration file: the interface that dom0 itself gets behind the driver domain. Pure. */
#ifndef CONTROL_CONFIG_DOM0_VIF_H
#define CONTROL_CONFIG_DOM0_VIF_H

#include <stdint.h>

#include "util/mac.h"

#define DOM0_VIF_BRIDGE_SIZE 16

struct dom0_vif {
    char bridge[DOM0_VIF_BRIDGE_SIZE]; /* of the driver domain; "": dom0 gets no interface */
    uint8_t mac[MAC_SIZE];
};

/*
 * Read "mac=52:54:00:12:34:56,bridge=xenbr0", words in any order, as those of a vif line in xl.cfg(5).
 *
 * Returns NULL, or what is wrong with it, a sentence's end; vif_r is then as if there were none.
 */
const char *dom0_vif_parse(const char *text, struct dom0_vif *vif_r);

#endif
