/* What a camera and the program that drives by it share: images one way, commands back. */
#ifndef IMAGE_H
#define IMAGE_H

struct image {
    int written;
    unsigned char data[64 * 48 * 3];
    int control, pause; /* the command */
    double fast;
};

/* The members of a command, one behind the other, as they are answered. */
struct command {
    int control, pause;
    double fast;
};

#endif
