/* Whose turn it is; a segment that is new belongs to neither. */
enum turn { WRITERS = -1, READERS = 7 };

struct turns {
    int flag; /* an enum turn */
    char text[256];
};
