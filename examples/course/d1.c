/*
 * D1: `written` is a plain int. This reader waits as the tutorial's does, only without the
 * call of sleep in the loop.
 *
 *     cc -O0 -o d1 examples/course/d1.c               the reader sees the flag
 *     cc -O2 -o d1 examples/course/d1.c               it never does
 *     cc -O2 -DMENDED -o d1 examples/course/d1.c      it does
 */
#define _DEFAULT_SOURCE
#include "slot.h"
#include <signal.h>

static void writer(struct shared_use_st *slot)
{
    usleep(200000); /* the reader waits by then */
    strcpy(slot->text, "hello\n");
    set(slot, 1);
}

static void give_up(int signal)
{
    static const char said[] = "the reader still waits, and the flag has been 1 for a while\n";
    (void)signal;
    (void)!write(STDOUT_FILENO, said, sizeof said - 1);
    _exit(EXIT_FAILURE);
}

int main(void)
{
    struct shared_use_st *slot = make_slot();

    start(writer, slot);
    signal(SIGALRM, give_up);
    alarm(2);
#ifdef MENDED
    await(slot, 1);
#else
    /* The compiler knows of no other process. It may read the flag once, and never again. */
    while (slot->written == 0)
        ;
#endif
    printf("the reader has seen the flag, and reads %s", slot->text);
    wait(NULL);
    return EXIT_SUCCESS;
}
