/* The tutorial's writing side on shm-handoff: docs/c.md goes through what has changed. Usage: writer [KEY] */
#include "channel.h"

int main(int argc, char **argv)
{
    char line[BUFSIZ + 1];
    struct shmh *channel = open_channel(argc, argv, SHMH_WRITER);
    int ends, sent;

    do {
        printf("enter some text: ");
        fflush(stdout);
        if (fgets(line, BUFSIZ, stdin) == NULL)
            strcpy(line, "end\n");
        ends = strcmp(line, "end\n") == 0;
        sent = ends ? shmh_end(channel, -1) : shmh_send(channel, line, strlen(line), -1);
        if (sent == SHMH_E_UNCARRIABLE)
            fprintf(stderr, "not sent: %s\n", shmh_error());
        else if (sent != SHMH_OK)
            give_up();
    } while (!ends);
    if (shmh_close(channel, -1) != SHMH_OK)
        give_up();
    return EXIT_SUCCESS;
}
