/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting, and xenstore calls that wait: an attack is a straight line of steps. */
#ifndef HOSTILE_WAIT_H
#define HOSTILE_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Let other domains run, handle events. Returns whether done(ctx) came true within ms. */
bool wait_until(bool (*done)(void *ctx), void *ctx, unsigned int ms) __attribute__((noinline));
void wait_ms(unsigned int ms);

/* Returns 0 or a negative errno. A value is cut to fit. */
int store_read(const char *path, char *buf, size_t size);
int store_write(const char *path, const char *value);
int store_remove(const char *path);

/* A node that must hold a decimal number; ends the domain with a verdict if it does not. */
uint32_t store_number(const char *path);

/*
 * Put a line on the console, whole, and wait until dom0 has taken it: no verdict is ever lost to a
 * full ring.
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A verdict for the whole run, and the end of it. */
void give_up(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A reason, formatted into one static buffer: what an attack returns when it failed. */
const char *why(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What the verdict of an attack that passed should add. Same lifetime. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
const char *note_take(void);

/* xorshift32, from the seed= of the command line: a run can be repeated. */
uint32_t random_u32(void);
void random_seed(uint32_t seed);

#endif
