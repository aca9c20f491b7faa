/* What a call has to return; a test that gets something else ends. */
#ifndef EXPECT_H
#define EXPECT_H

#include <errno.h>
#include <shm_handoff.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(call, code)                                                                 \
    do {                                                                                   \
        int got = (call);                                                                  \
        if (got != (code)) {                                                               \
            fprintf(stderr, "line %d: %s is %d (%s), and not %d\n", __LINE__, #call, got, \
                    shmh_error(), (code));                                                 \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

/* It fails with this code and this errno, and says why. */
#define FAILS(call, code, number)                                                        \
    do {                                                                                 \
        errno = 0;                                                                       \
        EXPECT(call, code);                                                              \
        if (errno != (number) || shmh_error()[0] == 0 || shmh_strerror(code)[0] == 0) {  \
            fprintf(stderr, "line %d: errno %d, \"%s\"\n", __LINE__, errno, shmh_error()); \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)

static struct shmh *open_at(int key, int role, const struct shmh_options *options)
{
    struct shmh *channel = NULL;

    EXPECT(shmh_open(&channel, key, role, options), SHMH_OK);
    return channel;
}

#endif
