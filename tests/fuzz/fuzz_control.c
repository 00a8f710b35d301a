/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dom0's tools read that is not JSON: Xen's log, names in an xl.cfg, dom0_vif=, PCI addresses, lines of a crash
 * report, interfaces for Wireshark, labels of metrics, and a line on ferryd's socket. A byte says which; the rest is
 * text.
 *
 *   - What a guest prints through Xen changes nothing of what Xen's log says.
 *   - What was taken, written down in one way, is taken again and comes out the same.
 *   - Names that leave for files, options or other programs have nothing in them that means more.
 *   - A metric is one line, whatever is in a label, and the label can be read back.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check/xenlog.h"
#include "config/cfgkeys.h"
#include "config/dom0_vif.h"
#include "extcap/interfaces.h"
#include "image/lines.h"
#include "supervise/exposition.h"
#include "util/bdf.h"
#include "util/files.h"
#include "util/socket.h"

#include "fuzz.h"

static bool is_name(const char *text)
{
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_-.", *at))
            return false;
    return *text && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

/* The same log, with a guest's line in it. */
static void xenlog_check(const char *text)
{
    static const char *const guests[] = { "(XEN) d7v0 ", "(XEN) (d7) ", "(XEN) [    1.5] [d7] ",
                                          "" };
    size_t len = strlen(text), cut = strcspn(text, "\n");
    struct xenlog_facts own, with;

    xenlog_parse(text, &own);
    FUZZ_CHECK(own.iommu <= XENLOG_NO && own.remapping <= XENLOG_NO &&
               own.mode <= XENLOG_MODE_STRICT);
    for (unsigned int i = 0; i < 4; i++) {
        char *both = malloc(2 * len + 64);
        const char *words = i < 3 ? text : "I/O virtualisation enabled";

        /* Its own first line, as a guest would print it, in front of everything. */
        sprintf(both, "%s%.*s\n%s", guests[i], (int)(i < 3 ? cut : strlen(words)), words, text);
        xenlog_parse(both, &with);
        FUZZ_CHECK(memcmp(&own, &with, sizeof(own)) == 0);
        free(both);
    }
}

static int name_seen(void *ctx, const char *name)
{
    unsigned int *nr = ctx;

    FUZZ_CHECK(strlen(name) < CFGKEYS_NAME_SIZE && *name && !isdigit((unsigned char)*name));
    for (; *name; name++)
        FUZZ_CHECK(isalnum((unsigned char)*name) || *name == '_');
    return ++*nr == 1000;
}

static void cfgkeys_check(const char *text)
{
    char *again = malloc(strlen(text) + 32), names[40];
    unsigned int nr = 0, nr_again = 0, nr_unknown;

    (void)cfgkeys_each(text, name_seen, &nr);
    nr_unknown = cfgkeys_unknown(text, names, sizeof(names));
    FUZZ_CHECK(memchr(names, '\0', sizeof(names)) && (nr_unknown <= nr || nr == 1000));
    FUZZ_CHECK((nr_unknown == 0) == (*names == '\0'));
    /* One more line in front is one more name. */
    sprintf(again, "never_known = 1\n%s", text);
    (void)cfgkeys_each(again, name_seen, &nr_again);
    FUZZ_CHECK(nr_again == nr + 1 || nr_again == 1000);
    FUZZ_CHECK(cfgkeys_unknown(again, names, sizeof(names)) == nr_unknown + 1);
    FUZZ_CHECK(strncmp(names, "never_known", 11) == 0);
    free(again);
}

static void dom0_vif_check(const char *text)
{
    static const struct dom0_vif none;
    struct dom0_vif vif, again;
    char line[64];

    if (dom0_vif_parse(text, &vif)) {
        FUZZ_CHECK(memcmp(&vif, &none, sizeof(vif)) == 0);
        return;
    }
    FUZZ_CHECK(memchr(vif.bridge, '\0', sizeof(vif.bridge)) && is_name(vif.bridge));
    FUZZ_CHECK(!(vif.mac[0] & 1));
    snprintf(line, sizeof(line), "bridge=%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", vif.bridge,
             vif.mac[0], vif.mac[1], vif.mac[2], vif.mac[3], vif.mac[4], vif.mac[5]);
    FUZZ_CHECK(!dom0_vif_parse(line, &again) && memcmp(&vif, &again, sizeof(vif)) == 0);
}

static void bdf_check(const char *text)
{
    char written[BDF_SIZE];
    struct bdf bdf, again;

    if (bdf_parse(text, &bdf))
        return;
    FUZZ_CHECK(bdf.dev < 32 && bdf.func < 8);
    bdf_format(&bdf, written);
    FUZZ_CHECK(bdf_parse(written, &again) == 0 && bdf_is_same(&bdf, &again));
}

static void lines_check(const char *text)
{
    struct lines_place place;

    for (const char *line = text; line; line = lines_next(line)) {
        FUZZ_CHECK(line >= text && line <= text + strlen(text));
        if (!lines_place_read(line, &place))
            continue;
        FUZZ_CHECK(memchr(place.symbol, '\0', sizeof(place.symbol)) && *place.symbol);
        FUZZ_CHECK(!strpbrk(place.symbol, " +\n"));
    }
}

static void interface_check(const struct interface *interface)
{
    const char *port = interface->port;

    FUZZ_CHECK(memchr(interface->domain, '\0', sizeof(interface->domain)));
    FUZZ_CHECK(memchr(port, '\0', sizeof(interface->port)));
    FUZZ_CHECK(is_name(interface->domain) && *interface->domain != '-');
    if (strncmp(port, "bridge:", 7) == 0)
        port += 7;
    FUZZ_CHECK(is_name(port) && *port != '-');
}

static void interfaces_check(const char *text)
{
    static struct interfaces interfaces;
    struct interface one, again;
    char name[128];

    if (interfaces_parse(text, &interfaces) == 0) {
        FUZZ_CHECK(interfaces.nr <= INTERFACES_MAX);
        for (unsigned int i = 0; i < interfaces.nr; i++) {
            interface_check(&interfaces.list[i]);
            FUZZ_CHECK(memchr(interfaces.list[i].shown, '\0', sizeof(interfaces.list[i].shown)));
            for (const char *at = interfaces.list[i].shown; *at; at++)
                FUZZ_CHECK(*at >= ' ' && *at <= '~' && !strchr("{}=", *at));
        }
    }
    if (interfaces_name_parse(text, &one)) {
        interface_check(&one);
        snprintf(name, sizeof(name), "ferry:%s:%s", one.domain, one.port);
        FUZZ_CHECK(interfaces_name_parse(name, &again) && strcmp(one.port, again.port) == 0);
        FUZZ_CHECK(strcmp(name, text) == 0);
    }
}

/* Back from a line of metrics to the label's value, by the rules of OpenMetrics. */
static void label_read(const char *at, const char *value)
{
    for (; *at != '"'; at++, value++) {
        FUZZ_CHECK(*at && *at != '\n');
        if (*at == '\\') {
            at++;
            FUZZ_CHECK(*at == 'n' ? *value == '\n' : (*at == '"' || *at == '\\') && *value == *at);
        } else {
            FUZZ_CHECK(*at == *value);
        }
    }
    FUZZ_CHECK(*value == '\0' && strcmp(at, "\"} 1\n") == 0);
}

static void exposition_check(const char *text)
{
    static const char head[] = "a_info{b=\"";
    const struct exposition_labels labels = { { "b", text, NULL } };
    struct exposition exposition = { .openmetrics = true };
    char *line = NULL;
    size_t len;

    exposition.out = open_memstream(&line, &len);
    FUZZ_CHECK(exposition.out);
    exposition_info(&exposition, "a", &labels);
    fclose(exposition.out);
    FUZZ_CHECK(strncmp(line, head, sizeof(head) - 1) == 0);
    label_read(line + sizeof(head) - 1, text);
    free(line);
}

static char *answer(void *ctx, const char *line)
{
    FUZZ_CHECK(strlen(line) < SOCKET_LINE_SIZE && !strchr(line, '\n'));
    *(bool *)ctx = true;
    return strdup(line);
}

static char run_dir[] = "/tmp/fuzz-control-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static void run_dir_remove(void)
{
    unlink(address.sun_path);
    rmdir(run_dir);
}

static int listener_make(void)
{
    FUZZ_CHECK(mkdtemp(run_dir) && setenv("FERRY_RUN_DIR", run_dir, 1) == 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/ferryd.sock", run_dir);
    atexit(run_dir_remove);
    return socket_listen();
}

/* Bytes on the socket. Only root is answered, as everywhere. */
static void socket_check(const char *text)
{
    static int listener = -1;
    char got[SOCKET_LINE_SIZE + 1];
    bool is_asked = false;
    ssize_t nr;
    int fd;

    if (listener < 0)
        listener = listener_make();
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    FUZZ_CHECK(listener >= 0 && fd >= 0);
    FUZZ_CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    FUZZ_CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0);
    shutdown(fd, SHUT_WR);
    socket_serve(listener, answer, &is_asked);
    FUZZ_CHECK(is_asked == (*text && getuid() == 0));
    nr = recv(fd, got, sizeof(got), 0);
    if (is_asked && nr > 0)
        FUZZ_CHECK((size_t)nr < SOCKET_LINE_SIZE && memcmp(got, text, (size_t)nr) == 0);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const char *) = {
        xenlog_check, cfgkeys_check,    dom0_vif_check,   bdf_check,
        lines_check,  interfaces_check, exposition_check, socket_check,
    };
    char *text;

    if (size == 0)
        return 0;
    text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    checks[data[0] % 8](text);
    free(text);
    return 0;
}
