/* A page of text; `full` until it was read. */
#define KIB 1024

struct page { int full; char text[8 * KIB]; };
