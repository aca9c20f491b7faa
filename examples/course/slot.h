/*
 * For the programs of docs/course.md: the tutorial's struct, between this process and a
 * child. The segment has no key and goes with the last of the two, so nothing is left behind.
 */
#ifndef SLOT_H
#define SLOT_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared_use_st {
    int written; /* 0: the writer may write; 1: the reader may read */
    char text[2048];
};

static inline struct shared_use_st *make_slot(void)
{
    int id = shmget(IPC_PRIVATE, sizeof(struct shared_use_st), 0600);
    void *at = id == -1 ? (void *)-1 : shmat(id, NULL, 0);

    if (id != -1)
        shmctl(id, IPC_RMID, NULL); /* it stays until nobody is attached any more */
    if (at == (void *)-1) {
        perror("no shared memory");
        exit(EXIT_FAILURE);
    }
    return at;
}

/* Runs `side` in a process of its own. */
static inline void start(void (*side)(struct shared_use_st *), struct shared_use_st *slot)
{
    fflush(stdout);
    switch (fork()) {
    case -1:
        perror("fork");
        exit(EXIT_FAILURE);
    case 0:
        side(slot);
        exit(EXIT_SUCCESS);
    }
}

/* Waits for the flag as one should: an atomic load that acquires. */
static inline void await(struct shared_use_st *slot, int value)
{
    for (unsigned turns = 1; __atomic_load_n(&slot->written, __ATOMIC_ACQUIRE) != value; turns++)
        if (turns % 1000 == 0)
            sched_yield(); /* the other side may need this processor */
}

/* Sets the flag as one should: an atomic store that releases. */
static inline void set(struct shared_use_st *slot, int value)
{
    __atomic_store_n(&slot->written, value, __ATOMIC_RELEASE);
}

#endif
