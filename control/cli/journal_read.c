/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/journal_read.h"

#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "util/files.h"
#include "util/log.h"

void journal_fault_tell(const char *name, int err)
{
    char path[FILES_PATH_SIZE];

    journal_file(name, path);
    if (err == -EINVAL || err == -EFBIG)
        log_line("%s: its journal %s is damaged: if it runs it goes on, but nobody looks after it; "
                 "when its guests can do without: `xl destroy %s`, move %s.json away from %s and "
                 "from %s, and start it again",
                 name, path, name, name, files_state_dir(), files_run_dir());
    else
        log_line("%s: its journal %s cannot be read: %s%s", name, path, strerror(-err),
                 files_todo(err));
}

int journal_read(const char *name, struct journal *journal_r)
{
    int err = files_name_ok(name) ? journal_load(name, journal_r) : -ENOENT;

    if (!err)
        return 0;
    if (err == -ENOENT) {
        log_line("there is no driver domain %.63s that ferry started; `ferry status` lists them",
                 name);
        return EXIT_NO_SUCH;
    }
    journal_fault_tell(name, err);
    return EXIT_FAILED;
}

int journal_read_each(void (*found)(void *ctx, const char *name), void *ctx)
{
    int err = journal_each(found, ctx);

    if (err)
        log_line("%s: %s%s: which driver domains there are cannot be told", files_state_dir(),
                 strerror(-err), files_todo(err));
    return err;
}
