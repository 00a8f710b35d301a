/* SPDX-License-Identifier: BSD-2-Clause */
/* image: hands its words to the program that makes images of the kind that is named. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "util/files.h"
#include "util/log.h"

int command_image(int argc, char **argv)
{
    char path[FILES_PATH_SIZE];

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return command_help();
    if (argc < 2 || strcmp(argv[1], "linux") != 0) {
        if (argc >= 2)
            log_line("there are no images of the kind '%.40s'; there are: linux", argv[1]);
        return command_usage();
    }
    snprintf(path, sizeof(path), "%.400s/ferry-linux-image", files_kernel_dir());
    execv(path, argv + 1);
    log_line("%s: %s; is the package ferry whole?", path, strerror(errno));
    return EXIT_FAILED;
}
