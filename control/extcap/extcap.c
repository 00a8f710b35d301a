/* SPDX-License-Identifier: BSD-2-Clause */
#include "extcap/extcap.h"

#include <errno.h>
#include <getopt.h>
#include <pcap/pcap.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ferry/capture.h>

#include "extcap/interfaces.h"
#include "util/log.h"
#include "util/option.h"
#include "util/paths.h"

#define EXIT_USAGE 2
#define LISTED_MAX (4u << 20) /* bytes of `ferry vifs --json` */
#define NUMBER_SIZE 16

extern char **environ;

static const char usage[] =
    "usage: ferry-extcap --extcap-interfaces\n"
    "       ferry-extcap --extcap-interface ferry:DOMAIN:PORT --extcap-dlts | --extcap-config\n"
    "       ferry-extcap --extcap-interface ferry:DOMAIN:PORT --extcap-capture-filter FILTER\n"
    "       ferry-extcap --extcap-interface ferry:DOMAIN:PORT --capture --fifo FIFO\n"
    "                    [--extcap-capture-filter FILTER] [--snaplen N]\n"
    "\n"
    "Wireshark runs this to capture what passes a port of a driver domain; `ferry capture`\n"
    "does it. It lies in Wireshark's directory for extcaps: `tshark -G folders`.\n";

struct words {
    bool interfaces, dlts, config, capture, help, version;
    const char *interface, *fifo, *filter;
    uint32_t snaplen; /* 0: as `ferry capture` has it */
};

/* In PATH, or where it was installed: a user's PATH may not have sbin. */
static const char *const places[] = { "ferry", PATHS_FERRY };

static int ferry_spawn(char **argv, int out, int other, pid_t *pid_r)
{
    posix_spawn_file_actions_t actions;
    int err = ENOENT;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, out);
    posix_spawn_file_actions_addclose(&actions, other);
    for (unsigned int i = 0; i < 2 && err == ENOENT; i++)
        err = posix_spawnp(pid_r, places[i], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -err;
}

/* All of it, to be freed; NULL if it is too long. */
static char *text_read(FILE *file)
{
    char *text = malloc(LISTED_MAX + 1);
    size_t len = text ? fread(text, 1, LISTED_MAX + 1, file) : 0;

    if (text && len <= LISTED_MAX) {
        text[len] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

/* What `ferry vifs --json` prints, to be freed, or NULL: then what is wrong has been said. */
static char *listed_get(void)
{
    char *argv[] = { "ferry", "vifs", "--json", NULL }, *text = NULL;
    int fds[2], err, status;
    FILE *out;
    pid_t pid;

    if (pipe(fds)) {
        log_line("pipe: %s", strerror(errno));
        return NULL;
    }
    err = ferry_spawn(argv, fds[1], fds[0], &pid);
    close(fds[1]);
    if (err) {
        log_line("ferry, also as " PATHS_FERRY ": %s", strerror(-err));
        close(fds[0]);
        return NULL;
    }
    out = fdopen(fds[0], "r");
    if (out)
        text = text_read(out);
    if (out)
        fclose(out);
    else
        close(fds[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!text)
        log_line("`ferry vifs --json` prints too much");
    return text;
}

/* Without Ferry's domains, or the right to see them, there are no interfaces; that is no failure. */
static int interfaces_show(void)
{
    static struct interfaces interfaces;
    char *text = listed_get();

    printf("extcap {version=%s}{display=Ferry: ports of Xen's driver domains}\n", FERRY_VERSION);
    if (text && *text && interfaces_parse(text, &interfaces))
        log_line("`ferry vifs --json` prints what makes no sense; is it of another version?");
    free(text);
    for (unsigned int i = 0; i < interfaces.nr; i++)
        printf("interface {value=ferry:%s:%s}{display=%s}\n", interfaces.list[i].domain,
               interfaces.list[i].port, interfaces.list[i].shown);
    return EXIT_SUCCESS;
}

static int config_show(void)
{
    printf("arg {number=0}{call=--snaplen}{display=Bytes of each frame}"
           "{tooltip=Of longer frames only the beginning is captured}{type=integer}{range=1,%u}"
           "{default=%u}\n",
           FERRY_CAPTURE_SNAPLEN_MAX, FERRY_CAPTURE_SNAPLEN_MAX);
    return EXIT_SUCCESS;
}

/* Wireshark takes whatever is printed for what is wrong with it. */
static int filter_check(const char *filter)
{
    pcap_t *pcap = pcap_open_dead(DLT_EN10MB, (int)FERRY_CAPTURE_SNAPLEN_MAX);
    struct bpf_program program;

    if (!pcap || pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
        printf("%s\n", pcap ? pcap_geterr(pcap) : "no memory");
    } else {
        if (program.bf_len > FERRY_CAPTURE_PROGRAM_MAX)
            printf("%u instructions; %u at most\n", program.bf_len, FERRY_CAPTURE_PROGRAM_MAX);
        pcap_freecode(&program);
    }
    if (pcap)
        pcap_close(pcap);
    return EXIT_SUCCESS;
}

/* Wireshark ends its captures by a signal to this process, which is `ferry`'s then. */
static int capture_become(const struct words *words, struct interface *interface)
{
    char number[NUMBER_SIZE], *argv[12] = { "ferry", "capture", "--write", (char *)words->fifo };
    unsigned int argc = 4;

    if (words->snaplen) {
        snprintf(number, sizeof(number), "%u", words->snaplen);
        argv[argc++] = "--snaplen";
        argv[argc++] = number;
    }
    argv[argc++] = "--";
    argv[argc++] = interface->domain;
    argv[argc++] = interface->port;
    if (words->filter && *words->filter)
        argv[argc++] = (char *)words->filter;
    for (unsigned int i = 0; i < 2; i++) {
        execvp(places[i], argv);
        if (errno != ENOENT)
            break;
    }
    log_line("ferry, also as " PATHS_FERRY ": %s", strerror(errno));
    return EXIT_FAILURE;
}

static bool words_parse(int argc, char **argv, struct words *words)
{
    static const struct option options[] = { { "extcap-interfaces", no_argument, NULL, 'i' },
                                             { "extcap-version", optional_argument, NULL, 'v' },
                                             { "extcap-interface", required_argument, NULL, 'n' },
                                             { "extcap-dlt", required_argument, NULL, 'l' },
                                             { "extcap-dlts", no_argument, NULL, 'd' },
                                             { "extcap-config", no_argument, NULL, 'c' },
                                             { "capture", no_argument, NULL, 'r' },
                                             { "fifo", required_argument, NULL, 'o' },
                                             { "extcap-capture-filter", required_argument, NULL,
                                               'f' },
                                             { "snaplen", required_argument, NULL, 's' },
                                             { "help", no_argument, NULL, 'h' },
                                             { "version", no_argument, NULL, 'V' },
                                             { 0 } };
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
        words->interfaces |= option == 'i';
        words->dlts |= option == 'd';
        words->config |= option == 'c';
        words->capture |= option == 'r';
        words->help |= option == 'h';
        words->version |= option == 'V';
        if (option == 'n')
            words->interface = optarg;
        else if (option == 'o')
            words->fifo = optarg;
        else if (option == 'f')
            words->filter = optarg;
        else if (option == '?' ||
                 (option == 's' &&
                  option_number("snaplen", optarg, 1, FERRY_CAPTURE_SNAPLEN_MAX, &words->snaplen)))
            return false;
    }
    return optind == argc;
}

static int interface_run(const struct words *words)
{
    struct interface interface;

    if (!interfaces_name_parse(words->interface, &interface)) {
        log_line("'%.100s' is no interface of Ferry's: ferry:DOMAIN:PORT, as --extcap-interfaces "
                 "prints them",
                 words->interface);
        return EXIT_FAILURE;
    }
    if (words->capture && words->fifo && *words->fifo)
        return capture_become(words, &interface);
    if (words->capture) {
        log_line("--capture: where to? --fifo is missing");
        return EXIT_USAGE;
    }
    if (words->config)
        return config_show();
    if (words->dlts) {
        printf("dlt {number=%d}{name=EN10MB}{display=Ethernet}\n", DLT_EN10MB);
        return EXIT_SUCCESS;
    }
    if (words->filter)
        return filter_check(words->filter);
    fputs(usage, stderr);
    return EXIT_USAGE;
}

int extcap_run(int argc, char **argv)
{
    struct words words = { 0 };

    log_program = "ferry-extcap";
    if (!words_parse(argc, argv, &words)) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (words.help) {
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if (words.version) {
        printf("ferry-extcap %s\n", FERRY_VERSION);
        return EXIT_SUCCESS;
    }
    if (words.interfaces)
        return interfaces_show();
    if (words.interface)
        return interface_run(&words);
    fputs(usage, stderr);
    return EXIT_USAGE;
}
