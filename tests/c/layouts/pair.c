/*
 * A conversation through two slots of one segment: what is typed goes into one, what the other side
 * typed is printed from the other. A line that begins with "end" is the last one of its direction.
 * The program ends when both have ended; the last one to leave removes the segment.
 *
 * Usage: pair a|b KEY: the slot to write into, and the key
 */
#define _GNU_SOURCE
#include "pair.h"
#include "segment.h"
#include <poll.h>

static int is_end(const char *text)
{
    return strncmp(text, "end", 3) == 0;
}

static int has_input(void)
{
    struct pollfd input = { 0, POLLIN, 0 };

    return poll(&input, 1, 0) > 0;
}

static void converse(struct slot *out, struct slot *in)
{
    char line[sizeof out->text];
    int sending = 1, receiving = 1;

    while (sending || receiving) {
        if (sending && flag_of(out->written) == 0 && has_input()) {
            if (fgets(line, sizeof line, stdin) == NULL) {
                sending = 0;
            } else {
                strcpy(out->text, line);
                set_flag(out->written, 1);
                sending = !is_end(line);
            }
        }
        if (receiving && flag_of(in->written) == 1) {
            receiving = !is_end(in->text);
            fputs(in->text, stdout);
            fflush(stdout);
            set_flag(in->written, 0);
        }
        nap();
    }
}

int main(int argc, char **argv)
{
    struct shmid_ds stat;
    struct pair *pair;
    int is_new;

    if (argc != 3) {
        fprintf(stderr, "usage: %s a|b KEY\n", argv[0]);
        return EXIT_FAILURE;
    }
    pair = attach(argv[2], sizeof *pair, &is_new);
    say_attached();
    setvbuf(stdin, NULL, _IONBF, 0); /* so that `has_input` knows */
    if (argv[1][0] == 'a')
        converse(&pair->a, &pair->b);
    else
        converse(&pair->b, &pair->a);
    shmdt(pair);
    /* If both leave at once both may come to this: one of them finds nothing any more. */
    if (shmctl(segment_id, IPC_STAT, &stat) == 0 && stat.shm_nattch == 0)
        shmctl(segment_id, IPC_RMID, NULL);
    return EXIT_SUCCESS;
}
