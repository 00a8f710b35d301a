/* SPDX-License-Identifier: BSD-2-Clause */
#include "children.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

#define AGAIN_MIN_MS 100
#define AGAIN_MAX_MS 5000

static char *const environment[] = {
    "PATH=/usr/bin",       "HOME=/root", "TERM=dumb", "LANG=C", "OVS_RUNDIR=/run/openvswitch",
    "OVS_LOGDIR=/run/log", NULL
};

int64_t children_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void child_become(char *const argv[])
{
    const struct sched_param ordinary = { 0 };
    char path[128] = "/usr/bin/";
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), out = open(SAY_PIPE, O_WRONLY | O_CLOEXEC);
    sigset_t none;

    sched_setscheduler(0, SCHED_OTHER, &ordinary);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    dup2(null, STDIN_FILENO);
    dup2(out >= 0 ? out : null, STDOUT_FILENO);
    dup2(out >= 0 ? out : null, STDERR_FILENO);
    strncat(path, argv[0], sizeof(path) - strlen(path) - 1);
    execve(argv[0][0] == '/' ? argv[0] : path, argv, environment);
    say("%s: %s", argv[0], strerror(errno));
    _exit(127);
}

pid_t children_start(char *const argv[])
{
    pid_t pid = fork();

    if (pid == 0)
        child_become(argv);
    return pid < 0 ? -errno : pid;
}

static void ended(struct child *child, int status)
{
    int wait_ms = AGAIN_MIN_MS;

    for (unsigned int i = 0; i < child->nr_deaths && wait_ms < AGAIN_MAX_MS; i++)
        wait_ms *= 2;
    child->pid = 0;
    child->nr_deaths++;
    child->again_ms = children_now_ms() + (wait_ms < AGAIN_MAX_MS ? wait_ms : AGAIN_MAX_MS);
    say("%s ended (%s %d); it is started again", child->argv[0],
        WIFSIGNALED(status) ? "signal" : "exit code",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

void children_look(struct child *children, size_t nr)
{
    int status;
    pid_t pid;

    say_pipe_look();
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < nr; i++)
            if (children[i].pid == pid)
                ended(&children[i], status);
    for (size_t i = 0; i < nr; i++) {
        if (children[i].pid || children_now_ms() < children[i].again_ms)
            continue;
        pid = children_start(children[i].argv);
        children[i].since_ms = children_now_ms();
        if (pid > 0)
            children[i].pid = pid;
        else
            children[i].again_ms = children_now_ms() + AGAIN_MAX_MS;
    }
}

int children_run(char *const argv[], int limit_ms, void (*beat)(void), int beat_ms)
{
    const struct timespec moment = { .tv_nsec = 1000000l };
    int64_t now = children_now_ms(), until_ms = now + limit_ms, beat_at_ms = now + beat_ms;
    pid_t pid = children_start(argv);
    int status;

    if (pid < 0)
        return pid;
    while (waitpid(pid, &status, WNOHANG) != pid) {
        say_pipe_look();
        now = children_now_ms();
        if (now >= beat_at_ms) {
            beat();
            beat_at_ms = now + beat_ms;
        }
        if (now > until_ms) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            say("%s did not end within %d ms", argv[0], limit_ms);
            return -ETIMEDOUT;
        }
        nanosleep(&moment, NULL);
    }
    say_pipe_look();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    say("%s failed", argv[0]);
    return -EIO;
}
