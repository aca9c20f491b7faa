/* What the programs of this folder have in common: how they get at the segment, and how they wait. */
#ifndef SEGMENT_H
#define SEGMENT_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <time.h>

static int segment_id;

static inline void give_up(const char *call)
{
    perror(call);
    exit(EXIT_FAILURE);
}

/* The segment at a key; *is_new: it was made here, and is all zeros. */
static inline void *attach(const char *key, size_t size, int *is_new)
{
    key_t number = (key_t)strtoul(key, NULL, 0);
    void *at;

    for (;;) {
        segment_id = shmget(number, size, IPC_CREAT | IPC_EXCL | 0600);
        *is_new = segment_id != -1;
        if (segment_id == -1 && errno == EEXIST)
            segment_id = shmget(number, size, 0);
        if (segment_id != -1)
            break;
        if (errno != ENOENT) /* it was removed in between */
            give_up("shmget");
    }
    at = shmat(segment_id, NULL, 0);
    if (at == (void *)-1)
        give_up("shmat");
    return at;
}

/* To be said when the segment can be used by others. */
static inline void say_attached(void)
{
    fputs("attached\n", stderr);
}

static inline void remove_segment(void)
{
    if (shmctl(segment_id, IPC_RMID, NULL) == -1)
        give_up("shmctl(IPC_RMID)");
}

static inline void nap(void)
{
    struct timespec time = { 0, 200 * 1000 };

    nanosleep(&time, NULL);
}

/* The flag is a plain integer to the struct; all that is done to it is atomic, and what one side has
   written before it sets the flag the other one sees behind it. */
#define flag_of(flag) __atomic_load_n(&(flag), __ATOMIC_ACQUIRE)
#define set_flag(flag, value) __atomic_store_n(&(flag), (value), __ATOMIC_RELEASE)
#define await_flag(flag, value) while (flag_of(flag) != (value)) nap()

#endif
