/* The tutorial's reading side on shm-handoff: docs/c.md goes through what has changed. Usage: reader [KEY] */
#include "channel.h"

int main(int argc, char **argv)
{
    struct shmh *channel = open_channel(argc, argv, SHMH_READER, NULL);
    const void *text;
    size_t len;
    int got;

    do {
        got = shmh_peek(channel, &text, &len, -1);
        if (got < 0)
            give_up();
        if (len > 0) /* the end of a ring's stream has no text */
            printf("You wrote: %.*s", (int)len, (const char *)text);
        if (fflush(stdout) != 0 || ferror(stdout)) {
            perror("stdout");
            return EXIT_FAILURE;
        }
        if (shmh_release(channel) < 0)
            give_up();
    } while (got != SHMH_ENDED);
    return shmh_close(channel, -1) == SHMH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
