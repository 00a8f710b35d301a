/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux-init: the first process of a Linux driver domain that `ferry image linux` made. It brings the bridges up as the kernel's command
 * line says, runs linux-vif or `xl devd` for vifs and linux-block for disks, and tells dom0 fifty milliseconds by fifty milliseconds that it lives. There is no shell to log in to, and
 * nothing listens.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

#include "children.h"
#include "net.h"
#include "say.h"
#include "start.h"
#include "status.h"
#include "switch.h"
#include "words.h"

#define COMMAND_LINE_SIZE 4096
#define CHILDREN_MAX (SWITCH_CHILDREN + 2)
#define HURRY_MS 5 /* between two looks while a card is missing, and may still come soon */
#define SETTLED_MS 300 /* what cannot run at all has ended by then */
#define NIC_LIMIT_MS 10000 /* after this its absence is said */

#define DEVD "/usr/bin/xl" /* in images made with --scripts */

static char *const devd_argv[] = { DEVD, "devd", "-F", NULL };
static char *const vif_argv[] = { "/usr/lib/ferry/linux-vif", NULL };
static char *const block_argv[] = { "/usr/lib/ferry/linux-block", NULL };

/* The kernel runs /sbin/poweroff where dom0 asks for a shutdown (drivers/xen/manage.c). */
static int shut_down_as_asked(const char *name)
{
    sync();
    return reboot(strcmp(name, "reboot") == 0 ? RB_AUTOBOOT : RB_POWER_OFF) ? 1 : 0;
}

static void command_line_read(struct words *words)
{
    static char line[COMMAND_LINE_SIZE];
    char why[200];
    int err = start_read("/proc/cmdline", line, sizeof(line));

    if (err < 0)
        say_and_shut_down("/proc/cmdline: %s", strerror(-err));
    if (words_parse(line, words, why, sizeof(why)))
        say_and_shut_down("extra=: %s", why);
}

/* The beat must not wait for anybody: not for the disk, nor for another process. */
static void first_in_line(void)
{
    const struct sched_param first = { .sched_priority = 1 };

    if (mlockall(MCL_CURRENT | MCL_FUTURE))
        say("mlockall: %s", strerror(errno));
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first))
        say("SCHED_FIFO: %s", strerror(errno));
}

static void sleep_until(struct timespec *at, long ms)
{
    at->tv_nsec += ms * 1000000l;
    if (at->tv_nsec >= 1000000000l) {
        at->tv_nsec -= 1000000000l;
        at->tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at, NULL);
}

/* Those that serve come first. Returns how many these are. */
static size_t children_list(const struct words *words, struct child children_r[CHILDREN_MAX],
                            size_t *nr_r)
{
    size_t nr_serving = 0;

    if (words->nr_bridges)
        children_r[nr_serving++] =
            (struct child){ .argv = access(DEVD, X_OK) ? vif_argv : devd_argv };
    if (words->has_disks)
        children_r[nr_serving++] = (struct child){ .argv = block_argv };
    *nr_r = nr_serving + switch_children(words, children_r + nr_serving);
    return nr_serving;
}

static bool are_settled(const struct child *children, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        if (!children[i].pid || children_now_ms() - children[i].since_ms < SETTLED_MS)
            return false;
    return true;
}

/* A wait that was late, by a pause of the domain, is not made up for. */
static void run(struct words *words)
{
    struct child children[CHILDREN_MAX];
    size_t nr_children, nr_serving = children_list(words, children, &nr_children);
    bool is_ready, was_ready = false, is_late = false;
    unsigned int since_beat_ms = 0;
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    for (;;) {
        bool has_nics = switch_look(words);
        long step_ms = has_nics || is_late ? STATUS_BEAT_MS : HURRY_MS;
        struct timespec now;

        children_look(children, nr_children);
        is_ready = has_nics && are_settled(children, nr_serving);
        if (is_ready && !was_ready) {
            say("ready after %lld ms", (long long)children_now_ms());
            was_ready = true;
        }
        status_phase(is_ready ? FERRY_PHASE_READY : FERRY_PHASE_SERVING);
        if (!has_nics && !is_late && children_now_ms() > NIC_LIMIT_MS) {
            say("a bridge still waits for its card: is pci= of the configuration right, and has "
                "the "
                "image its driver?");
            is_late = true;
        }
        since_beat_ms += (unsigned int)step_ms;
        if (since_beat_ms >= STATUS_BEAT_MS) {
            status_beat();
            since_beat_ms = 0;
        }
        sleep_until(&at, step_ms);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > at.tv_sec || (now.tv_sec == at.tv_sec && now.tv_nsec > at.tv_nsec))
            at = now;
    }
}

int main(int argc, char **argv)
{
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;
    struct words words;
    sigset_t all;
    int err;

    if (getpid() != 1)
        return shut_down_as_asked(slash ? slash + 1 : argc ? argv[0] : "");
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    start_mounts();
    say("linux-init after %lld ms", (long long)children_now_ms());
    start_settings();
    command_line_read(&words);
    if (start_modules())
        say("not all modules are loaded");
    err = status_share();
    if (err)
        say("no heartbeat for dom0: %s", strerror(-err));
    say("modules loaded after %lld ms", (long long)children_now_ms());
    if (words.has_disks && access(block_argv[0], X_OK))
        say_and_shut_down("extra=: ferry.disks needs an image made with --disk or --disks");
    switch_make(&words);
    if (words.nr_bridges)
        say("bridges are up after %lld ms", (long long)children_now_ms());
    start_root_seal();
    first_in_line();
    run(&words);
}
