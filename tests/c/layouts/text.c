/*
 * Hands texts to another program: the flag in the struct says whose turn it is, and a text that
 * begins with "end" is the last one. The reader removes the segment then.
 *
 * Usage: text write KEY: a text for each line of the input; leaves at its end, too, when the last one was read
 *        text read KEY
 *
 * What differs from program to program comes by -D: HEADER, SHARED (the type of the struct), FLAG and
 * TEXT (its members), EMPTY and FULL (the values of the flag), SEGMENT (the size of the segment).
 */
#define _GNU_SOURCE
#include "segment.h"
#include HEADER

#ifndef FLAG
#define FLAG written
#endif
#ifndef TEXT
#define TEXT text
#endif
#ifndef EMPTY
#define EMPTY 0
#define FULL 1
#endif
#ifndef SEGMENT
#define SEGMENT sizeof(SHARED)
#endif

static int is_end(const char *text)
{
    return strncmp(text, "end", 3) == 0;
}

static void write_texts(SHARED *shared)
{
    char line[sizeof shared->TEXT];

    while (fgets(line, sizeof line, stdin) != NULL) {
        await_flag(shared->FLAG, EMPTY);
        strcpy(shared->TEXT, line);
        set_flag(shared->FLAG, FULL);
        if (is_end(line))
            return;
    }
    await_flag(shared->FLAG, EMPTY);
}

static void read_texts(SHARED *shared)
{
    int ended = 0;

    while (!ended) {
        await_flag(shared->FLAG, FULL);
        ended = is_end(shared->TEXT);
        fputs(shared->TEXT, stdout);
        fflush(stdout);
        set_flag(shared->FLAG, EMPTY);
    }
    remove_segment();
}

int main(int argc, char **argv)
{
    SHARED *shared;
    int is_new;

    if (argc != 3) {
        fprintf(stderr, "usage: %s read|write KEY\n", argv[0]);
        return EXIT_FAILURE;
    }
    shared = attach(argv[2], SEGMENT, &is_new);
    if (is_new && EMPTY != 0)
        set_flag(shared->FLAG, EMPTY);
    say_attached();
    if (strcmp(argv[1], "write") == 0)
        write_texts(shared);
    else
        read_texts(shared);
    shmdt(shared);
    return EXIT_SUCCESS;
}
