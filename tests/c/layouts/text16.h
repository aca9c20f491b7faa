#ifndef TEXT16_H
#define TEXT16_H

/* One word at a time. */
struct word {
    int written;
    char text[16];
};

#endif
