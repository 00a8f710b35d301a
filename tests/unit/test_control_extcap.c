/* SPDX-License-Identifier: BSD-2-Clause */
/* Wireshark's extcap protocol, driven as Wireshark does, with a fake `ferry` first in PATH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "extcap/extcap.h"
#include "extcap/interfaces.h"

#define HEAD "extcap {version=" FERRY_VERSION "}{display=Ferry: ports of Xen's driver domains}\n"
#define PORT "ferry:domnet:vif3.0"

static char directory[64], output[65536];
static int code;

/* Shows what `vifs` is to show, and writes the words of a capture to its file, one a line. */
static const char fake_ferry[] =
    "#!/bin/sh\n"
    "case $1 in\n"
    "vifs) [ \"$*\" = 'vifs --json' ] && cat \"$FAKE_DIRECTORY/vifs.json\" ;;\n"
    "capture) [ \"$2\" = --write ] || exit 9; for w; do echo \"$w\"; done > \"$3\" ;;\n"
    "*) exit 9 ;;\n"
    "esac\n";

static const char two_domains[] =
    "[{\"name\":\"domnet\",\"ports\":["
    "{\"port\":\"nic0\",\"kind\":\"nic\",\"bridge\":\"xenbr0\"},"
    "{\"port\":\"vif3.0\",\"kind\":\"vif\",\"guest\":\"web\",\"bridge\":\"xenbr0\"}]},"
    "{\"name\":\"dom-2\",\"ports\":[{\"port\":\"nic0\",\"kind\":\"nic\",\"bridge\":\"\"}]}]";

static const char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void file_write(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *file_read(const char *name)
{
    static char text[4096];
    FILE *file = fopen(path_of(name), "r");

    if (!file)
        return "no file";
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static int start(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/ferry-extcap.XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    file_write("ferry", fake_ferry);
    file_write("vifs.json", two_domains);
    setenv("FAKE_DIRECTORY", directory, 1);
    return chmod(path_of("ferry"), 0755);
}

static int end(void **state)
{
    static const char *const names[] = { "ferry", "vifs.json", "fifo", "harm" };

    (void)state;
    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path_of(names[i]));
    return rmdir(directory);
}

/* Run it in a process of its own; its standard output and code are in output and code then. */
static void run(char **argv)
{
    int fds[2], argc = 0, status;
    size_t len = 0;
    ssize_t got;
    char path[256];
    pid_t pid;

    while (argv[argc])
        argc++;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        snprintf(path, sizeof(path), "%s:/usr/bin:/bin", directory);
        setenv("PATH", path, 1);
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        if (!freopen("/dev/null", "w", stderr))
            _exit(99);
        status = extcap_run(argc, argv);
        fflush(stdout);
        _exit(status);
    }
    close(fds[1]);
    while ((got = read(fds[0], output + len, sizeof(output) - 1 - len)) > 0)
        len += (size_t)got;
    output[len] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    code = WEXITSTATUS(status);
}
#define RUN(...) run((char *[]){ "ferry-extcap", __VA_ARGS__, NULL })

static void ports_and_bridges_are_interfaces(void **state)
{
    (void)state;
    RUN("--extcap-interfaces", "--extcap-version=4.0");
    assert_int_equal(code, 0);
    assert_string_equal(
        output, HEAD "interface {value=ferry:domnet:nic0}{display=Ferry domnet: nic0}\n"
                     "interface {value=ferry:domnet:vif3.0}{display=Ferry domnet: vif3.0 of web}\n"
                     "interface {value=ferry:domnet:bridge:xenbr0}{display=Ferry domnet: "
                     "bridge:xenbr0, all ports}\n"
                     "interface {value=ferry:dom-2:nic0}{display=Ferry dom-2: nic0}\n");
}

static void without_domains_there_are_none(void **state)
{
    (void)state;
    file_write("vifs.json", "[]");
    RUN("--extcap-interfaces");
    assert_int_equal(code, 0);
    assert_string_equal(output, HEAD);
    file_write("vifs.json", "");
    RUN("--extcap-interfaces");
    assert_int_equal(code, 0);
    assert_string_equal(output, HEAD);
    unlink(path_of("ferry"));
    RUN("--extcap-interfaces");
    assert_int_equal(code, 0);
    assert_string_equal(output, HEAD);
}

static void names_that_mean_more_are_left_out(void **state)
{
    (void)state;
    file_write(
        "vifs.json",
        "[{\"name\":\"--help\",\"ports\":[{\"port\":\"nic0\"}]},"
        "{\"name\":\"a;touch x\",\"ports\":[{\"port\":\"nic0\"}]},"
        "{\"name\":\"b\",\"ports\":[{\"port\":\"-w\"},{\"port\":\"$(id)\"},{\"port\":\"a}{b\"},"
        "{\"port\":\"../"
        "x\"},{\"port\":\"\"},{\"port\":7},8,{\"bridge\":\"x\\ny\",\"port\":\"nic1\","
        "\"guest\":\"}{value=z}\\ninterface \\u00e9\"}]},"
        "{\"name\":\"c\"},{\"ports\":[]},null]");
    RUN("--extcap-interfaces");
    assert_int_equal(code, 0);
    assert_string_equal(output, HEAD "interface {value=ferry:b:nic1}{display=Ferry b: nic1 of "
                                     "??value?z??interface ??}\n");
}

static void what_makes_no_sense_is_no_interface(void **state)
{
    static const char *const texts[] = { "{}", "[", "7", "[[[", "\"x\"", "null" };
    static struct interfaces interfaces;

    (void)state;
    for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_true(interfaces_parse(texts[i], &interfaces) < 0 && interfaces.nr == 0);
}

static void more_than_have_room_are_left_out(void **state)
{
    static struct interfaces interfaces;
    char *text = NULL;
    size_t len;
    FILE *file = open_memstream(&text, &len);

    (void)state;
    fprintf(file, "[{\"name\":\"a\",\"ports\":[{\"port\":\"nic0\"}");
    for (unsigned int i = 0; i < 2 * INTERFACES_MAX; i++)
        fprintf(file, ",{\"port\":\"vif%u.0\"}", i);
    fprintf(file, "]}]");
    fclose(file);
    assert_int_equal(interfaces_parse(text, &interfaces), 0);
    assert_int_equal(interfaces.nr, INTERFACES_MAX);
    free(text);
}

static void an_interface_is_ethernet_and_has_a_length(void **state)
{
    (void)state;
    RUN("--extcap-interface", PORT, "--extcap-dlts");
    assert_int_equal(code, 0);
    assert_string_equal(output, "dlt {number=1}{name=EN10MB}{display=Ethernet}\n");
    RUN("--extcap-interface", PORT, "--extcap-config");
    assert_int_equal(code, 0);
    assert_non_null(strstr(output, "arg {number=0}{call=--snaplen}"));
    assert_non_null(strstr(output, "{type=integer}{range=1,65535}{default=65535}\n"));
}

static void a_capture_is_ferrys_own(void **state)
{
    (void)state;
    RUN("--capture", "--extcap-interface", PORT, "--fifo", (char *)path_of("fifo"));
    assert_int_equal(code, 0);
    assert_string_equal(output, "");
    snprintf(output, sizeof(output), "capture\n--write\n%s\n--\ndomnet\nvif3.0\n", path_of("fifo"));
    assert_string_equal(file_read("fifo"), output);
}

static void filter_and_length_are_handed_on_as_they_are(void **state)
{
    char filter[256], fifo[128];

    (void)state;
    snprintf(filter, sizeof(filter), "icmp; touch %s $(touch harm) 'x' -c 1", path_of("harm"));
    strcpy(fifo, path_of("fifo"));
    RUN("--capture", "--extcap-interface", "ferry:domnet:bridge:xenbr0", "--fifo", fifo,
        "--extcap-capture-filter", filter, "--snaplen", "96");
    assert_int_equal(code, 0);
    snprintf(output, sizeof(output),
             "capture\n--write\n%s\n--snaplen\n96\n--\ndomnet\nbridge:xenbr0\n%s\n", fifo, filter);
    assert_string_equal(file_read("fifo"), output);
    assert_string_equal(file_read("harm"), "no file");
}

static void names_of_others_are_refused(void **state)
{
    static char *const names[] = { "eth0",
                                   "ferry:domnet",
                                   "ferry:domnet:",
                                   "ferry::vif3.0",
                                   "ferry:--help:vif3.0",
                                   "ferry:domnet:-w",
                                   "ferry:domnet:bridge:",
                                   "ferry:domnet:bridge:-s",
                                   "ferry:domnet:vif3.0 -w x",
                                   "ferry:dom/net:vif3.0",
                                   "ferry:domnet:a:b",
                                   "ferry:domnet:a-name-of-more-than-thirty-two-bytes" };

    (void)state;
    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        RUN("--capture", "--extcap-interface", names[i], "--fifo", (char *)path_of("fifo"));
        assert_int_equal(code, 1);
        assert_string_equal(file_read("fifo"), "no file");
        RUN("--extcap-interface", names[i], "--extcap-dlts");
        assert_int_equal(code, 1);
        assert_string_equal(output, "");
    }
}

static void a_filter_is_judged(void **state)
{
    (void)state;
    RUN("--extcap-interface", PORT, "--extcap-dlt=1", "--extcap-capture-filter", "tcp port 80");
    assert_int_equal(code, 0);
    assert_string_equal(output, "");
    RUN("--extcap-interface", PORT, "--extcap-capture-filter", "tcp port port");
    assert_int_equal(code, 0);
    assert_string_not_equal(output, "");
}

static void words_that_are_wrong_get_the_usage(void **state)
{
    (void)state;
    RUN("--what");
    assert_int_equal(code, 2);
    RUN("--capture", "--extcap-interface", PORT);
    assert_int_equal(code, 2);
    RUN("--extcap-interface", PORT);
    assert_int_equal(code, 2);
    RUN("--capture", "--extcap-interface", PORT, "--fifo", (char *)path_of("fifo"), "--snaplen",
        "0");
    assert_int_equal(code, 2);
    RUN("--capture", "--extcap-interface", PORT, "--fifo", (char *)path_of("fifo"), "--snaplen",
        "65536");
    assert_int_equal(code, 2);
    RUN("--capture", "--extcap-interface", PORT, "--fifo", (char *)path_of("fifo"), "--snaplen",
        "+5");
    assert_int_equal(code, 2);
    assert_string_equal(file_read("fifo"), "no file");
    RUN("--help");
    assert_int_equal(code, 0);
    assert_non_null(strstr(output, "usage: ferry-extcap"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(ports_and_bridges_are_interfaces),
        TEST(without_domains_there_are_none),
        TEST(names_that_mean_more_are_left_out),
        TEST(what_makes_no_sense_is_no_interface),
        TEST(more_than_have_room_are_left_out),
        TEST(an_interface_is_ethernet_and_has_a_length),
        TEST(a_capture_is_ferrys_own),
        TEST(filter_and_length_are_handed_on_as_they_are),
        TEST(names_of_others_are_refused),
        TEST(a_filter_is_judged),
        TEST(words_that_are_wrong_get_the_usage),
    };

    return cmocka_run_group_tests_name("control_extcap", tests, NULL, NULL);
}
