/* The struct takes the beginning of a segment of four pages; what follows is for later. */
#define SEGMENT_SIZE (4 * 4096)

struct note {
    int written;
    char text[2048];
};
