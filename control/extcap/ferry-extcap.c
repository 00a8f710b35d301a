/* SPDX-License-Identifier: BSD-2-Clause */
/* ferry-extcap: Wireshark runs it to capture ports of driver domains. */
#include "extcap/extcap.h"

int main(int argc, char **argv)
{
    return extcap_run(argc, argv);
}
