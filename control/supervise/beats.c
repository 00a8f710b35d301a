/* SPDX-License-Identifier: BSD-2-Clause */
#include "supervise/beats.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "util/files.h"

/* One side writes, the other reads: a place without a time has no name that anybody may look at. */
struct place {
    char name[FILES_NAME_MAX + 1];
    uint64_t beat;
    int64_t seen_ms; /* plus one; 0: the place is free */
};

static struct place *places;

int beats_init(void)
{
    void *memory = mmap(NULL, BEATS_MAX * sizeof(*places), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    places = memory == MAP_FAILED ? NULL : memory;
    return places ? 0 : -ENOMEM;
}

/* The name's place, or NULL; free_r: one that is free, or NULL. */
static struct place *find(const char *name, struct place **free_r)
{
    *free_r = NULL;
    for (struct place *place = places; places && place < places + BEATS_MAX; place++) {
        if (!__atomic_load_n(&place->seen_ms, __ATOMIC_ACQUIRE))
            *free_r = place;
        else if (strncmp(place->name, name, sizeof(place->name)) == 0)
            return place;
    }
    return NULL;
}

void beats_note(const char *name, uint64_t beat, int64_t now_ms)
{
    struct place *free, *place = find(name, &free);

    if (place ? place->beat == beat : !free)
        return;
    if (!place) {
        place = free;
        snprintf(place->name, sizeof(place->name), "%s", name);
    }
    place->beat = beat;
    __atomic_store_n(&place->seen_ms, now_ms + 1, __ATOMIC_RELEASE);
}

void beats_forget(const char *name)
{
    struct place *free, *place = find(name, &free);

    if (place)
        __atomic_store_n(&place->seen_ms, 0, __ATOMIC_RELEASE);
}

int64_t beats_age_ms(const char *name, int64_t now_ms)
{
    struct place *free, *place = find(name, &free);
    int64_t seen_ms = place ? __atomic_load_n(&place->seen_ms, __ATOMIC_ACQUIRE) : 0;

    if (!seen_ms)
        return -1;
    return now_ms > seen_ms - 1 ? now_ms - (seen_ms - 1) : 0;
}
