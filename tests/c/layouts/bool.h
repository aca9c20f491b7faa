#include <stdbool.h>

/* Eight bytes in all. */
struct cell {
    char text[7];
    bool ready;
};
