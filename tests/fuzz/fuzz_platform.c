/* SPDX-License-Identifier: BSD-2-Clause */
/* What pciback, a device's configuration space and xenstored answer, as bytes: whatever they are, what is made of them is sound. */
#include <stdbool.h>

#include "xen/pcifront_config.h"
#include "xen/xenstore_codec.h"

#include "fuzz.h"

struct space {
    const uint8_t *bytes;
    size_t len;
    unsigned int nr_reads;
};

static int byte_read(void *ctx, unsigned int offset, uint8_t *value_r)
{
    struct space *space = ctx;

    FUZZ_CHECK(offset < 256 && ++space->nr_reads < 1000);
    if (offset >= space->len)
        return -5;
    *value_r = space->bytes[offset];
    return 0;
}

static void pci_check(struct fuzz_input *input)
{
    struct space space = { 0 };
    struct pcifront_bar bar;
    struct pci_address address;
    char text[24] = "";
    const uint8_t *bytes;
    uint64_t value, sized;
    size_t len = fuzz_take(input, sizeof(text) - 1, &bytes);

    memcpy(text, bytes, len);
    if (pci_address_parse(text, &address) == 0)
        FUZZ_CHECK(len >= 7);
    if (fuzz_take(input, 16, &bytes) == 16) {
        memcpy(&value, bytes, 8);
        memcpy(&sized, bytes + 8, 8);
        pci_bar_decode(value, sized, &bar);
        FUZZ_CHECK(bar.maddr == 0 ||
                   ((bar.size & (bar.size - 1)) == 0 && (bar.maddr & (bar.size - 1)) == 0 &&
                    bar.size && bar.maddr + (bar.size - 1) >= bar.maddr));
    }
    space.len = fuzz_take(input, 256, &space.bytes);
    FUZZ_CHECK(pci_capability_walk(byte_read, NULL, &space, fuzz_u8(input)) < 256);
}

static void xenstore_check(struct fuzz_input *input)
{
    uint32_t asked = fuzz_u8(input), type = fuzz_u8(input), generation;
    struct xenstore_event event = { NULL, NULL };
    unsigned int slot;
    const uint8_t *bytes;
    size_t len = fuzz_take(input, 4096, &bytes), value_len = 0;
    char *payload = malloc(len + 1);

    memcpy(payload, bytes, len);
    payload[len] = '\0';
    if (xenstore_decode_answer(asked, type, payload, len, &value_len) == 0)
        FUZZ_CHECK(value_len <= len);
    if (xenstore_decode_event(payload, len, &event) == 0) {
        FUZZ_CHECK(event.path >= payload && event.path + strlen(event.path) < payload + len);
        FUZZ_CHECK(event.token > event.path && event.token + strlen(event.token) < payload + len);
        (void)!xenstore_token_parse(event.token, &slot, &generation);
    }
    (void)!xenstore_watch_path_check(payload);
    free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };

    if (fuzz_u8(&input) & 1)
        pci_check(&input);
    else
        xenstore_check(&input);
    return 0;
}
