/* What both sides share. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <shm_handoff.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_KEY = 1234 };

static void give_up(void)
{
    fprintf(stderr, "%s\n", shmh_error());
    exit(EXIT_FAILURE);
}

/* The channel at the key that is the first argument, made if it is missing; options may be NULL. */
static struct shmh *open_channel(int argc, char **argv, int role, const struct shmh_options *options)
{
    struct shmh *channel;
    int key = argc > 1 ? (int)strtoul(argv[1], NULL, 0) : DEFAULT_KEY;

    if (shmh_open(&channel, key, role, options) != SHMH_OK)
        give_up();
    return channel;
}

#endif
