#include <sys/types.h>

struct message {
    pid_t from;         /* of no concern to the reader */
    volatile int ready;
    char text[512];
};
