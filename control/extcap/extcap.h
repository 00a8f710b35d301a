/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wireshark's extcap protocol: what may be captured, and `ferry capture` to do it.
 * https://www.wireshark.org/docs/wsdg_html_chunked/ChCaptureExtcap.html
 */
#ifndef CONTROL_EXTCAP_H
#define CONTROL_EXTCAP_H

/* All that the program does. Returns its exit code; with --capture it becomes `ferry capture` and does not return. */
int extcap_run(int argc, char **argv);

#endif
