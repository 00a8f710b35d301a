/* SPDX-License-Identifier: BSD-2-Clause */
/* Where things lie in dom0. The build says (mk/paths.mk); these are for PREFIX=/usr, and for host tests. */
#ifndef CONTROL_PATHS_H
#define CONTROL_PATHS_H

#ifndef PATHS_CONFIG
#define PATHS_CONFIG "/etc/ferry" /* NAME.policy, auto/ */
#define PATHS_STATE "/var/lib/ferry" /* journals, and what successors are made from */
#define PATHS_RUN "/run/ferry" /* locks, the socket: gone with the machine */
#define PATHS_LOG "/var/log/ferryd.log" /* of ferryd in the background */
#define PATHS_DEBUG "/usr/lib/debug/usr/lib/ferry" /* kernels with source lines, *.debug */
#define PATHS_KERNELS "/usr/lib/ferry" /* kernels: ferry-net, ferry-net-NIC */
#endif

#ifndef PATHS_DOCS
#define PATHS_DOCS "/usr/share/doc/ferry/docs" /* what messages point to: NAME.md */
#endif

#ifndef PATHS_FERRY
#define PATHS_FERRY "/usr/sbin/ferry" /* for those whose PATH has no sbin */
#endif

#endif
