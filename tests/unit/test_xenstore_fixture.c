/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_xenstore_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "xen/clock.h"
#include "xen/domain.h"
#include "xen/evtchn.h"
#include "xen/log.h"
#include "xen/recovery.h"

static char page[PAGE_SIZE] __attribute__((aligned(4096)));
struct xenstore_domain_interface *const store_page = (struct xenstore_domain_interface *)page;

static struct start_info info;
const struct start_info *start_info = &info;

uint64_t fake_now;
unsigned int fake_notified, fake_errors;
char fake_log[256];
uint32_t fake_noted_id;
int fake_adopt_rc;
void (*fake_sleep)(void);

static struct recovery_page recovery;
static evtchn_fn *handler;

struct xenstore_domain_interface *xenstore_ring(void)
{
    return store_page;
}

uint64_t clock_now(void)
{
    return fake_now;
}

int evtchn_adopt(evtchn_port_t port, evtchn_fn *fn, void *ctx)
{
    (void)ctx;
    assert_int_equal(port, STORE_PORT);
    handler = fn;
    return fake_adopt_rc;
}

void evtchn_notify(evtchn_port_t port)
{
    assert_int_equal(port, STORE_PORT);
    fake_notified++;
}

void evtchn_sleep_until(uint64_t deadline_ns)
{
    if (fake_sleep)
        fake_sleep();
    else
        fake_now = deadline_ns;
}

unsigned int evtchn_dispatch(void)
{
    handler(NULL);
    return 1;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    fake_errors += level == LOG_ERROR;
    va_start(ap, fmt);
    vsnprintf(fake_log, sizeof(fake_log), fmt, ap);
    va_end(ap);
}

__noreturn void panic(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    abort();
}

void recovery_note_xenstore_id(uint32_t next)
{
    fake_noted_id = next;
    recovery.xenstore_next_id = next;
}

const struct recovery_page *recovery_page(void)
{
    return &recovery;
}

void fixture_reset(uint32_t start)
{
    memset(page, 0xa5, sizeof(page));
    memset(store_page, 0, sizeof(*store_page));
    store_page->req_prod = store_page->req_cons = start;
    store_page->rsp_prod = store_page->rsp_cons = start;
    info.store_evtchn = STORE_PORT;
    fake_now = 1000000000;
    fake_notified = fake_errors = 0;
    fake_log[0] = '\0';
    recovery_note_xenstore_id(1000);
    fake_adopt_rc = 0;
    fake_sleep = NULL;
}

int fixture_client(void **state)
{
    struct server_request request;

    (void)state;
    fixture_reset(0);
    xenstore_init();
    if (!server_take(&request) || request.header.type != XS_RESET_WATCHES)
        return -1;
    server_answer(&request, "OK");
    xenstore_poll();
    timers_run(fake_now);
    fake_notified = 0;
    return 0;
}

static bool take_bytes(void *to, uint32_t *cons, size_t len)
{
    if (store_page->req_prod - *cons < len)
        return false;
    for (size_t i = 0; i < len; i++)
        ((char *)to)[i] = store_page->req[MASK_XENSTORE_IDX((*cons)++)];
    return true;
}

bool server_take(struct server_request *request)
{
    uint32_t cons = store_page->req_cons;

    if (!take_bytes(&request->header, &cons, sizeof(request->header)))
        return false;
    assert_true(request->header.len <= XENSTORE_PAYLOAD_MAX);
    assert_true(take_bytes(request->payload, &cons, request->header.len)); /* published whole */
    request->payload[request->header.len] = '\0';
    store_page->req_cons = cons;
    return true;
}

static size_t server_room(void)
{
    return XENSTORE_RING_SIZE - (store_page->rsp_prod - store_page->rsp_cons);
}

void server_put(const void *bytes, size_t len)
{
    assert_true(len <= server_room());
    for (size_t i = 0; i < len; i++)
        store_page->rsp[MASK_XENSTORE_IDX(store_page->rsp_prod++)] = ((const char *)bytes)[i];
}

void server_put_slowly(const void *bytes, size_t len)
{
    const char *next = bytes;

    while (len) {
        size_t piece;

        if (server_room() == 0)
            xenstore_poll();
        piece = len < server_room() ? len : server_room();
        assert_true(piece > 0);
        server_put(next, piece);
        next += piece;
        len -= piece;
    }
}

void server_message(uint32_t type, uint32_t id, const void *payload, size_t len)
{
    static char message[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
    struct xsd_sockmsg header = { .type = type, .req_id = id, .len = (uint32_t)len };

    assert_true(len <= XENSTORE_PAYLOAD_MAX);
    memcpy(message, &header, sizeof(header));
    if (len)
        memcpy(message + sizeof(header), payload, len);
    server_put_slowly(message, sizeof(header) + len);
}

void server_answer(const struct server_request *request, const char *string)
{
    bool bare = request->header.type == XS_READ;

    server_message(request->header.type, request->header.req_id, string,
                   strlen(string) + (bare ? 0 : 1));
}

void server_error(const struct server_request *request, const char *name)
{
    server_message(XS_ERROR, request->header.req_id, name, strlen(name) + 1);
}

void server_event(const char *path, const char *token)
{
    char payload[512];
    int len = snprintf(payload, sizeof(payload), "%s%c%s", path, 0, token);

    server_message(XS_WATCH_EVENT, 0, payload, (size_t)len + 1);
}

void outcome_keep(void *ctx, int err, const char *value, size_t len)
{
    struct outcome *outcome = ctx;

    assert_int_equal(value[len], '\0');
    outcome->calls++;
    outcome->err = err;
    outcome->len = len;
    memcpy(outcome->value, value, len + 1);
}
