/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three requests about static grants. args are a request's data[]; each returns XEN_NETIF_CTRL_STATUS_*.
 * Source: xen/io/netif.h, XEN_NETIF_CTRL_TYPE_{GET_GREF_MAPPING_SIZE,ADD_GREF_MAPPING,DEL_GREF_MAPPING}.
 */
#ifndef VIF_GREF_REQUEST_H
#define VIF_GREF_REQUEST_H

#include <stdint.h>

struct vif;

/* size_r: how many pages the queue's table may have now, those that it has included. */
uint32_t gref_request_size(struct vif *vif, const uint32_t *args, uint32_t *size_r);

/* All of the list or none. */
uint32_t gref_request_add(struct vif *vif, const uint32_t *args);

/* nr_r: how many were unmapped. Each entry of the guest's list gets its status; if it cannot be written, none is
 * unmapped. */
uint32_t gref_request_del(struct vif *vif, const uint32_t *args, uint32_t *nr_r);

#endif
