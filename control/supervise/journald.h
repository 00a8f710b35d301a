/* SPDX-License-Identifier: BSD-2-Clause */
/* Deaths in systemd's journal, with fields to ask for: `journalctl FERRY_DOMAIN=domnet`. */
#ifndef CONTROL_SUPERVISE_JOURNALD_H
#define CONTROL_SUPERVISE_JOURNALD_H

#include "journal/record.h"

/* Of all deaths: `journalctl MESSAGE_ID=...`. */
#define JOURNALD_MESSAGE_ID "5b0c9f0e4c6f4d0d8a53c1e7f2d9a6b4"

/*
 * Send one, if it is systemd's journal that has our messages (JOURNAL_STREAM).
 * FERRY_DEPTH is "none" and FERRY_OUTAGE_MS empty of a domain that was not brought back, as hooks have them (hooks.h).
 * Source: systemd.io/JOURNAL_NATIVE_PROTOCOL.
 */
void journald_send(const struct journal *journal, const struct journal_death *death);

#endif
