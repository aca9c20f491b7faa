/* A conversation: one side writes into `a` and reads `b`, the other one the other way round. */
struct slot {
    int written;
    char text[2048];
};

struct pair {
    struct slot a, b;
};
