/*
 * Hands matrices of 3 by 3 to another program.
 *
 * Usage: mat write KEY: nine numbers of the input a matrix; at its end, when the last one was read,
 *                       the segment is removed
 *        mat read KEY COUNT: prints so many, a line each, and leaves
 */
#define _GNU_SOURCE
#include "mat.h"
#include "segment.h"

static int scan(int *mat)
{
    int at;

    for (at = 0; at < 9; at++)
        if (scanf("%d", &mat[at]) != 1)
            return 0;
    return 1;
}

static void print(const int *mat)
{
    int at;

    for (at = 0; at < 9; at++)
        printf("%d%c", mat[at], at < 8 ? ' ' : '\n');
    fflush(stdout);
}

int main(int argc, char **argv)
{
    mat_t *shared;
    int mat[9], is_new;
    long count;

    if (argc < 3 || (strcmp(argv[1], "read") == 0 && argc < 4)) {
        fprintf(stderr, "usage: %s write KEY, or read KEY COUNT\n", argv[0]);
        return EXIT_FAILURE;
    }
    shared = attach(argv[2], sizeof *shared, &is_new);
    say_attached();
    if (strcmp(argv[1], "write") == 0) {
        while (scan(mat)) {
            await_flag(shared->flag, 0);
            memcpy(shared->mat, mat, sizeof mat);
            set_flag(shared->flag, 1);
        }
        await_flag(shared->flag, 0);
        remove_segment();
    } else {
        for (count = atol(argv[3]); count > 0; count--) {
            await_flag(shared->flag, 1);
            print(shared->mat);
            set_flag(shared->flag, 0);
        }
    }
    shmdt(shared);
    return EXIT_SUCCESS;
}
