/* SPDX-License-Identifier: BSD-2-Clause */
#include "main/words.h"

#include <stddef.h>
#include <string.h>

#include "xen/clock.h"
#include "xen/console.h"
#include "xen/status.h"
#include "xen/timer.h"

#define FIRST_NS 50000000ull /* after guests have been served for a while */
#define NEXT_NS 10000000ull

static struct timer timer;
static size_t said;

static void say_more(void *ctx)
{
    const char *text = status_page->report + said;
    size_t len = strcspn(text, "\n");

    (void)ctx;
    len += text[len] == '\n';
    if (*text == '\0')
        return;
    if (len > console_room()) {
        timer_arm(&timer, clock_now() + NEXT_NS, say_more, NULL);
        return;
    }
    console_write(text, len);
    said += len;
    timer_arm(&timer, clock_now(), say_more, NULL);
}

void words_say(void)
{
    status_page->report[sizeof(status_page->report) - 1] = '\0';
    said = 0;
    timer_arm(&timer, clock_now() + FIRST_NS, say_more, NULL);
}
