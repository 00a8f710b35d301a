/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAIN_WORDS_H
#define MAIN_WORDS_H

/* After a restart: the last start's crash report goes to the console, a little at a time. */
void words_say(void);

#endif
