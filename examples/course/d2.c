/*
 * D2: nothing orders text and flag. The compiler may store the flag first, and it does:
 *
 *     cc -O2 -S -o - examples/course/d2.c | grep -A 8 '^put:'
 *
 * The reader has all the order that it needs, and still gets the message before.
 *
 *     cc -O2 -o d2 examples/course/d2.c && ./d2
 *     cc -O2 -DMENDED -o d2 examples/course/d2.c && ./d2
 */
#define _DEFAULT_SOURCE
#include "slot.h"

enum { ROUNDS = 100000, PLACE = 1024 /* in another cache line than the flag */ };

/* The text is a number here, so that it takes a single store. */
__attribute__((noinline)) void put(struct shared_use_st *slot, const int *line)
{
    *(int *)(slot->text + PLACE) = *line + 1;
#ifdef MENDED
    set(slot, 1);
#else
    slot->written = 1;
#endif
}

static void writer(struct shared_use_st *slot)
{
    for (int line = 0; line < ROUNDS; line++) {
        await(slot, 0);
        put(slot, &line);
    }
}

int main(void)
{
    struct shared_use_st *slot = make_slot();
    int stale = 0;

    start(writer, slot);
    for (int line = 0; line < ROUNDS; line++) {
        await(slot, 1);
        stale += *(volatile int *)(slot->text + PLACE) != line + 1;
        set(slot, 0);
    }
    wait(NULL);
    printf("%d messages, %d of them stale\n", ROUNDS, stale);
    return EXIT_SUCCESS;
}
