/* SPDX-License-Identifier: BSD-2-Clause */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "say.h"

#define MODULES "/etc/ferry/modules"

static const struct {
    const char *type, *path, *options;
    unsigned long flags;
} mounts[] = {
    { "devtmpfs", "/dev", "mode=0755", MS_NOSUID },
    { "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
    { "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
    { "tmpfs", "/run", "mode=0755,size=8m,nr_inodes=1024", MS_NOSUID | MS_NODEV | MS_NOEXEC },
};

static const char *const dirs[] = { "/run/tmp",     "/run/lock",       "/run/log",
                                    "/run/log/xen", "/run/xen",        "/run/xen-hotplug",
                                    "/run/xen-lib", "/run/openvswitch" };

void start_mounts(void)
{
    for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
        if (mount(mounts[i].type, mounts[i].path, mounts[i].type, mounts[i].flags,
                  mounts[i].options) &&
            errno != EBUSY)
            say_and_shut_down("%s cannot be mounted on %s: %s", mounts[i].type, mounts[i].path,
                              strerror(errno));
    say_open();
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        if (mkdir(dirs[i], 0755))
            say("%s: %s", dirs[i], strerror(errno));
    say_pipe_open();
}

void start_root_seal(void)
{
    if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL))
        say("/ stays writable: %s", strerror(errno));
}

static void setting_write(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        say("%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void start_settings(void)
{
    setting_write("/proc/sys/kernel/panic_on_oops", "1");
    setting_write("/proc/sys/kernel/panic", "1");
    setting_write("/proc/sys/kernel/printk_devkmsg", "on\n");
    /* dom0 alone can ask for these (`xl sysrq`): it has the domain's fate in hand anyway. */
    setting_write("/proc/sys/kernel/sysrq", "1");
    /* Modules are found by nobody else: no program is run for each device that appears. */
    setting_write("/proc/sys/kernel/modprobe", "\n");
}

int start_read(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
    size_t len = 0;

    if (fd < 0)
        return -errno;
    while (len < size - 1) {
        ssize_t got = read(fd, text + len, size - 1 - len);

        if (got < 0)
            err = -errno;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);
    if (err)
        return err;
    if (len && text[len - 1] == '\n')
        len--;
    text[len] = '\0';
    return (int)len;
}

static int module_load(const char *name)
{
    char path[160];
    int fd, err;

    snprintf(path, sizeof(path), "/usr/lib/modules/%.128s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    err = syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST ? -errno : 0;
    close(fd);
    if (!err)
        unlink(path); /* it would stay in memory twice */
    return err;
}

unsigned int start_modules(void)
{
    static char list[32768]; /* as many names as an image holds */
    unsigned int nr_failed = 0;
    char *save = NULL;
    int err = start_read(MODULES, list, sizeof(list));

    if (err < 0)
        say_and_shut_down("%s: %s", MODULES, strerror(-err));
    for (char *name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
        err = module_load(name);
        if (err) {
            say("module %s: %s", name, strerror(-err));
            nr_failed++;
        }
    }
    return nr_failed;
}
