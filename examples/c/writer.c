/* The tutorial's writing side on shm-handoff: docs/c.md goes through what has changed. Usage: writer [KEY] */
#include "channel.h"

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    struct shmh *channel = open_channel(argc, argv, SHMH_WRITER, NULL);
    int ends, sent;

    do {
        printf("enter some text: ");
        fflush(stdout);
        len = getline(&line, &size, stdin);
        ends = len < 0 || strcmp(line, "end\n") == 0 || strcmp(line, "end") == 0;
        sent = ends ? shmh_end(channel, -1) : shmh_send(channel, line, (size_t)len, -1);
        if (sent == SHMH_E_UNSENDABLE)
            fprintf(stderr, "not sent: %s\n", shmh_error());
        else if (sent != SHMH_OK)
            give_up();
    } while (!ends);
    free(line);
    if (shmh_close(channel, -1) != SHMH_OK)
        give_up();
    return EXIT_SUCCESS;
}
