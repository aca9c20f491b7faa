/* Answers each image with a command: docs/c.md. Usage: driver KEY SPEC */
#include "channel.h"
#include "image.h"

int main(int argc, char **argv)
{
    struct shmh_options options;
    struct command command;
    struct shmh *channel;
    const void *data;
    size_t len;
    int got;

    memset(&command, 0, sizeof command);
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.layout = SHMH_DECLARED;
    options.declared = argc > 2 ? argv[2] : NULL;
    channel = open_channel(argc, argv, SHMH_READER, &options);
    while ((got = shmh_peek(channel, &data, &len, -1)) == SHMH_OK) {
        command.control = ((const unsigned char *)data)[len - 1] % 3;
        command.fast = command.control / 2.0;
        if (shmh_reply(channel, &command, sizeof command) != SHMH_OK || shmh_release(channel) < 0)
            give_up();
    }
    if (got != SHMH_ENDED || shmh_release(channel) < 0 || shmh_close(channel, -1) != SHMH_OK)
        give_up();
    return EXIT_SUCCESS;
}
