/* The tutorial's writing side. Usage: writer [KEY] */
#define _DEFAULT_SOURCE
#include "peer.h"

#if __GNUC__ >= 8 && !defined(__clang__)
/* D6, on purpose: 2048 bytes and more leave no NUL. */
#pragma GCC diagnostic ignored "-Wstringop-truncation"
#endif

int main(int argc, char **argv)
{
    char line[BUFSIZ + 1] = "";
    struct slot *slot = attach(argc, argv, "shmget");

    do {
        while (slot->written == 1) {
            rest();
            printf("Waiting...\n");
        }
        printf("enter some text: ");
        if (fgets(line, BUFSIZ, stdin) == NULL)
            clearerr(stdin); /* D8: at the end of input the last line goes out again */
        strncpy(slot->text, line, TEXT_SIZE);
        slot->written = 1; /* D2: nothing orders the two */
    } while (strncmp(line, "end", 3) != 0);
    detach(slot);
    rest();
    rest();
    return EXIT_SUCCESS;
}
