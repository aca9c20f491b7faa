/*
 * D3: the reader gives the slot back, and then looks for "end" in it.
 *
 *     cc -o d3 examples/course/d3.c
 *     ./d3 missed          "end" comes first, and the next writer's line behind it
 *     ./d3 false           a line comes first, and "end" behind it
 *
 * With -DMENDED the reader looks before it gives the slot back.
 */
#define _DEFAULT_SOURCE
#include "slot.h"

static const char *lines[2];

static void writer(struct shared_use_st *slot)
{
    for (int line = 0; line < 2; line++) {
        await(slot, 0);
        strcpy(slot->text, lines[line]);
        set(slot, 1);
    }
}

int main(int argc, char **argv)
{
    int missed = argc == 2 && strcmp(argv[1], "missed") == 0;
    struct shared_use_st *slot = make_slot();
    int leaves;

    if (!missed && (argc != 2 || strcmp(argv[1], "false") != 0)) {
        fprintf(stderr, "usage: d3 missed|false\n");
        return 2;
    }
    lines[0] = missed ? "end\n" : "AAAAAA\n";
    lines[1] = missed ? "AAAAAA\n" : "end\n";
    start(writer, slot);

    await(slot, 1);
    printf("the reader prints %s", slot->text);
#ifdef MENDED
    leaves = strncmp(slot->text, "end", 3) == 0;
#endif
    set(slot, 0);
    /* Here the scheduler lets the writer run. It need not; but it may. */
    await(slot, 1);
#ifndef MENDED
    leaves = strncmp(slot->text, "end", 3) == 0;
#endif
    printf("the reader %s\n", leaves ? "leaves" : "goes on");
    wait(NULL);
    return leaves == missed ? EXIT_SUCCESS : EXIT_FAILURE;
}
