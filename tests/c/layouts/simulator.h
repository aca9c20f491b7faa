/* What a driving simulator and the program that drives share. */
#ifndef SIMULATOR_H
#define SIMULATOR_H
#include <stdint.h>

#define WIDTH 640
#define HEIGHT 480

struct shared {
    int written; /* 1: there is an image; 0: there are commands */
    uint8_t data[WIDTH * HEIGHT * 3];

    int control; /* a command: who drives */
    int pause;   /* a command */

    double fast; /* from the simulator, with the image */
    double angle, to_middle;

    double steer, throttle, brake; /* commands */
};

#endif
