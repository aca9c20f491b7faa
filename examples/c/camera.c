/* Sends ten images and prints the command that answers each: docs/c.md. Usage: camera [KEY] */
#include "channel.h"
#include "image.h"

/* The struct as the compiler has it. Its twin in driver.c says the same by a SPEC. */
static const struct shmh_span flag = SHMH_SPAN(struct image, written);
static const struct shmh_span payload[] = {SHMH_SPAN(struct image, data)};
static const struct shmh_span reply[] = {
    SHMH_SPAN(struct image, control),
    SHMH_SPAN(struct image, pause),
    SHMH_SPAN(struct image, fast),
};

int main(int argc, char **argv)
{
    static unsigned char data[sizeof(((struct image *)0)->data)];
    struct shmh_offsets offsets;
    struct shmh_options options;
    struct command command;
    struct shmh *channel;

    memset(&offsets, 0, sizeof offsets);
    offsets.size = sizeof offsets;
    offsets.flag = flag;
    offsets.kind = SHMH_DATA;
    offsets.payload = payload;
    offsets.payload_count = 1;
    offsets.reply = reply;
    offsets.reply_count = 3;
    offsets.segment_size = sizeof(struct image);
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.layout = SHMH_DECLARED;
    options.offsets = &offsets;
    channel = open_channel(argc, argv, SHMH_WRITER, &options);
    /* At the end of data that nobody reads, nobody could be told of it. */
    if (shmh_await_reader(channel, -1) != SHMH_OK)
        give_up();
    for (int image = 0; image < 10; image++) {
        memset(data, image, sizeof data);
        if (shmh_call(channel, data, sizeof data, &command, sizeof command, -1) != SHMH_OK)
            give_up();
        printf("image %d: control %d, fast %g\n", image, command.control, command.fast);
    }
    if (shmh_end(channel, -1) != SHMH_OK || shmh_close(channel, -1) != SHMH_OK)
        give_up();
    return EXIT_SUCCESS;
}
