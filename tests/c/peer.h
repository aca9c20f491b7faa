/*
 * What both C peers share. They do what the well-known tutorial's pair does,
 * its mistakes included (docs/defects.md numbers them): the tests show how our
 * programs get on with such a peer, so it must not be better than the real one.
 *
 * PAUSE_US: how long a peer sleeps where the tutorial's sleeps for a second.
 * IN_STEPS: instead, it prints "<asleep>" and stops; who continues it lets that
 * second pass.
 */
#ifndef PEER_H
#define PEER_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#ifndef PAUSE_US
#define PAUSE_US 1000000
#endif

enum { TEXT_SIZE = 2048, DEFAULT_KEY = 1234 };

struct slot {
    int written; /* D1: a plain int */
    char text[TEXT_SIZE];
};

_Static_assert(sizeof(struct slot) == 2052, "the layout that ours relies on");

static int segment_id;

/* D15: not why it failed, and not always what. */
static void give_up(const char *call)
{
    fprintf(stderr, "%s failed\n", call);
    exit(EXIT_FAILURE);
}

/* D14: the tutorial's answer to everything that it has to wait for. */
static void rest(void)
{
#ifdef IN_STEPS
    puts("<asleep>");
    raise(SIGSTOP);
#else
    usleep(PAUSE_US);
#endif
}

/*
 * The slot at the key that is the first argument, made if it is missing;
 * `shmget_is_called` is what a failure of that call is put down to (D15).
 */
static struct slot *attach(int argc, char **argv, const char *shmget_is_called)
{
    key_t key = argc > 1 ? (key_t)strtoul(argv[1], NULL, 0) : DEFAULT_KEY;

    segment_id = shmget(key, sizeof(struct slot), 0666 | IPC_CREAT); /* D13 */
    if (segment_id == -1)
        give_up(shmget_is_called);
    void *at = shmat(segment_id, NULL, 0);
    if (at == (void *)-1)
        give_up("shmat");
    /* As on a terminal: the test sees each line when it is written. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("Memory attached at %X\n", (int)(intptr_t)at); /* D15: 32 bits of it */
    return at;
}

static void detach(struct slot *slot)
{
    if (shmdt(slot) == -1)
        give_up("shmdt");
}

#endif
