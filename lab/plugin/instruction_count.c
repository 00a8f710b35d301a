/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCG plugin of QEMU that counts executed instructions by the Xen domain that they belong to.
 *
 *   qemu-system-x86_64 -plugin FILE,socket=PATH,ram=BYTES ...
 *
 * Whose an instruction is, the machine page says that it lies in: whoever asks has given each page an
 * owner, a number below OWNERS. Xen's instructions are known by their address (Xen keeps the range for
 * itself, xen/include/asm-x86/config.h) and are counted for the owner whose instructions the processor
 * executed last: on behalf of it, its interrupts included.
 *
 * Instructions are counted by translated blocks: of a block that a fault ends early all count. A string
 * instruction with a REP prefix is one instruction however often it repeats, as on hardware; how often
 * is counted apart (QEMU executes a block for each time).
 *
 * Commands, a line each, on a UNIX stream socket; each is answered by a line "ok" or "error ...":
 *
 *   owners FILE       a byte for each machine page, its owner; pages behind the file's end are 0
 *   focus OWNER       whose calls into Xen `blocks` tells
 *   start | stop      counting; start begins at 0
 *   totals            before "ok", for each owner with anything: OWNER OWN XEN REPEATS
 *   blocks FILE       writes what was executed: OWNER ADDRESS INSTRUCTIONS TIMES a line; OWNER is "xen"
 *                     for Xen's, called by the focus
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qemu_plugin_api.h"

#define EXPORT __attribute__((visibility("default")))
#define OWNERS 32
#define CPUS_MAX 8
#define PAGE_BITS 12
#define LINE_MAX_LEN 4096

/* Virtual addresses that a 64-bit PV guest leaves to Xen. */
#define XEN_FIRST 0xffff800000000000ull
#define XEN_LAST 0xffff87ffffffffffull

/* RAM below 4 GiB of a q35 machine that has more: pc_q35_init(). */
#define RAM_BELOW_4G 0x80000000ull
#define HOLE_END 0x100000000ull

#define BUCKETS (1u << 18)

struct block {
    struct block *next; /* in its bucket */
    uint64_t address, page;
    uint64_t last; /* address of its last instruction */
    uint32_t instructions;
    bool is_xen, begins_with_rep;
    uint64_t times[CPUS_MAX];
};

/* One for each virtual processor, written by its thread alone. */
struct cpu {
    _Alignas(128) uint64_t own[OWNERS];
    uint64_t xen[OWNERS];
    uint64_t repeats[OWNERS];
    uint64_t last; /* address of the instruction executed last */
    uint8_t owner; /* of the guest's instruction executed last */
};

EXPORT int qemu_plugin_version = QEMU_PLUGIN_API_VERSION;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of blocks */
static struct block *blocks[BUCKETS];
static struct cpu cpus[CPUS_MAX];
static uint8_t *owners; /* by machine page */
static uint64_t nr_pages, ram_size;
static uintptr_t ram; /* where QEMU has it */
static atomic_bool is_counting;
static atomic_uint focus;
static char socket_path[sizeof(((struct sockaddr_un *)0)->sun_path)];

static void executed(unsigned int vcpu, void *data)
{
    struct block *block = data;
    struct cpu *cpu = &cpus[vcpu % CPUS_MAX];
    bool repeats = block->begins_with_rep && cpu->last == block->address;
    uint32_t instructions = block->instructions - repeats;

    cpu->last = block->last;
    if (!block->is_xen)
        cpu->owner = owners[block->page];
    if (!atomic_load_explicit(&is_counting, memory_order_relaxed))
        return;
    cpu->repeats[cpu->owner] += repeats;
    if (block->is_xen)
        cpu->xen[cpu->owner] += instructions;
    else
        cpu->own[cpu->owner] += instructions;
    if (instructions && (!block->is_xen || cpu->owner == focus))
        block->times[vcpu % CPUS_MAX]++;
}

/* REP or REPNE, perhaps more prefixes, then one of INS to SCAS. */
static bool is_rep_string(const struct qemu_plugin_insn *insn)
{
    const uint8_t *bytes = qemu_plugin_insn_data(insn);
    size_t size = qemu_plugin_insn_size(insn);
    bool rep = false;

    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes[i];

        if (byte == 0xf2 || byte == 0xf3)
            rep = true;
        else if (byte != 0x66 && byte != 0x67 && (byte & 0xf0) != 0x40)
            return rep && ((byte >= 0x6c && byte <= 0x6f) || (byte >= 0xa4 && byte <= 0xa7) ||
                           (byte >= 0xaa && byte <= 0xaf));
    }
    return false;
}

/* The machine page of an instruction; page 0, which is nobody's, for what lies in no RAM. */
static uint64_t page_of(const void *at)
{
    uint64_t offset = (uintptr_t)at - ram;

    if (!at || (uintptr_t)at < ram || offset >= ram_size)
        return 0;
    return (offset < RAM_BELOW_4G ? offset : offset - RAM_BELOW_4G + HOLE_END) >> PAGE_BITS;
}

static struct block *block_find(uint64_t address, uint64_t page, uint32_t instructions)
{
    size_t bucket = (address ^ address >> 18 ^ page * 0x9e3779b1u) % BUCKETS;
    struct block *block = blocks[bucket];

    while (block && (block->address != address || block->page != page ||
                     block->instructions != instructions))
        block = block->next;
    if (block)
        return block;
    block = calloc(1, sizeof(*block));
    if (!block)
        abort();
    block->address = address;
    block->page = page;
    block->instructions = instructions;
    block->next = blocks[bucket];
    blocks[bucket] = block;
    return block;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    size_t nr = qemu_plugin_tb_n_insns(tb);
    const struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
    const struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, nr - 1);
    uint64_t address = qemu_plugin_insn_vaddr(first);
    struct block *block;

    (void)id;
    pthread_mutex_lock(&lock);
    block = block_find(address, page_of(qemu_plugin_insn_haddr(first)), (uint32_t)nr);
    block->is_xen = address >= XEN_FIRST && address <= XEN_LAST;
    block->last = qemu_plugin_insn_vaddr(last);
    block->begins_with_rep = is_rep_string(first);
    pthread_mutex_unlock(&lock);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS, block);
}

static int owners_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t got;

    if (!file)
        return -errno;
    memset(owners, 0, nr_pages);
    got = fread(owners, 1, nr_pages, file);
    fclose(file);
    for (size_t i = 0; i < got; i++)
        if (owners[i] >= OWNERS)
            owners[i] = 0;
    return 0;
}

static void counters_clear(void)
{
    for (unsigned int i = 0; i < CPUS_MAX; i++) {
        memset(cpus[i].own, 0, sizeof(cpus[i].own));
        memset(cpus[i].xen, 0, sizeof(cpus[i].xen));
        memset(cpus[i].repeats, 0, sizeof(cpus[i].repeats));
    }
    pthread_mutex_lock(&lock);
    for (unsigned int i = 0; i < BUCKETS; i++)
        for (struct block *block = blocks[i]; block; block = block->next)
            memset(block->times, 0, sizeof(block->times));
    pthread_mutex_unlock(&lock);
}

static void totals_say(FILE *out)
{
    for (unsigned int owner = 0; owner < OWNERS; owner++) {
        uint64_t own = 0, xen = 0, repeats = 0;

        for (unsigned int i = 0; i < CPUS_MAX; i++) {
            own += cpus[i].own[owner];
            xen += cpus[i].xen[owner];
            repeats += cpus[i].repeats[owner];
        }
        if (own || xen)
            fprintf(out, "%u %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", owner, own, xen, repeats);
    }
}

static void block_write(FILE *file, const struct block *block)
{
    uint64_t times = 0;

    for (unsigned int i = 0; i < CPUS_MAX; i++)
        times += block->times[i];
    if (!times)
        return;
    if (block->is_xen)
        fprintf(file, "xen");
    else
        fprintf(file, "%u", owners[block->page]);
    fprintf(file, " %" PRIx64 " %" PRIu32 " %" PRIu64 "\n", block->address, block->instructions,
            times);
}

static int blocks_write(const char *path)
{
    FILE *file = fopen(path, "w");

    if (!file)
        return -errno;
    pthread_mutex_lock(&lock);
    for (unsigned int i = 0; i < BUCKETS; i++)
        for (const struct block *block = blocks[i]; block; block = block->next)
            block_write(file, block);
    pthread_mutex_unlock(&lock);
    return fclose(file) == 0 ? 0 : -errno;
}

static int command_do(char *line, FILE *out)
{
    const char *word = strtok(line, " \n"), *argument = strtok(NULL, "\n");

    if (!word)
        return -EINVAL;
    if (strcmp(word, "start") == 0) {
        counters_clear();
        is_counting = true;
    } else if (strcmp(word, "stop") == 0) {
        is_counting = false;
    } else if (strcmp(word, "totals") == 0) {
        totals_say(out);
    } else if (strcmp(word, "focus") == 0 && argument) {
        focus = (unsigned int)strtoul(argument, NULL, 10);
    } else if (strcmp(word, "owners") == 0 && argument) {
        return owners_read(argument);
    } else if (strcmp(word, "blocks") == 0 && argument) {
        return blocks_write(argument);
    } else {
        return -EINVAL;
    }
    return 0;
}

/* Until the peer closes. */
static void session(int fd)
{
    FILE *in = fdopen(dup(fd), "r"), *out = fdopen(fd, "w");
    char line[LINE_MAX_LEN];

    while (in && out && fgets(line, sizeof(line), in)) {
        int err = command_do(line, out);

        if (err)
            fprintf(out, "error %s\n", strerror(-err));
        else
            fprintf(out, "ok\n");
        fflush(out);
    }
    if (in)
        fclose(in);
    if (out)
        fclose(out);
}

static void *serve(void *argument)
{
    int listener = (int)(intptr_t)argument;

    for (;;) {
        int fd = accept(listener, NULL, NULL);

        if (fd >= 0)
            session(fd);
        else if (errno != EINTR)
            return NULL;
    }
}

static int serve_begin(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_t thread;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
    unlink(socket_path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1) != 0)
        return -errno;
    return -pthread_create(&thread, NULL, serve, (void *)(intptr_t)listener);
}

/* The mapping in this process that is as large as the guest's RAM. */
static bool ram_find(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    uintptr_t start, end;

    while (maps && !ram && fgets(line, sizeof(line), maps))
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &start, &end) == 2 && end - start >= ram_size &&
            end - start < ram_size + ram_size / 2)
            ram = start;
    if (maps)
        fclose(maps);
    return ram != 0;
}

/* RAM is there only after plugins are loaded: looked for when the first code is translated. */
static void first_translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    static atomic_bool failed;

    if (!ram) {
        pthread_mutex_lock(&lock);
        if (!ram && !ram_find() && !failed) {
            failed = true;
            fprintf(stderr, "instruction_count: no mapping is as large as the guest's RAM\n");
        }
        pthread_mutex_unlock(&lock);
    }
    translated(id, tb);
}

static bool argument_read(const char *argument)
{
    const char *value = strchr(argument, '=');

    if (value && strncmp(argument, "socket=", 7) == 0)
        return (size_t)snprintf(socket_path, sizeof(socket_path), "%s", value + 1) <
               sizeof(socket_path);
    if (value && strncmp(argument, "ram=", 4) == 0)
        return (ram_size = strtoull(value + 1, NULL, 10)) > 0;
    return false;
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_plugin_info *info, int argc,
                               char **argv)
{
    int err;

    for (int i = 0; i < argc; i++)
        if (!argument_read(argv[i])) {
            fprintf(stderr, "instruction_count: '%s' is not understood\n", argv[i]);
            return -EINVAL;
        }
    if (!socket_path[0] || !ram_size || !info->system_emulation ||
        info->system.max_vcpus > CPUS_MAX) {
        fprintf(stderr,
                "instruction_count: socket= and ram= are needed, and at most %d processors\n",
                CPUS_MAX);
        return -EINVAL;
    }
    nr_pages = (ram_size + HOLE_END) >> PAGE_BITS;
    owners = calloc(1, nr_pages);
    err = owners ? serve_begin() : -ENOMEM;
    if (err) {
        fprintf(stderr, "instruction_count: %s: %s\n", socket_path, strerror(-err));
        return err;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, first_translated);
    return 0;
}
