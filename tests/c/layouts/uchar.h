struct box {
    unsigned char full;
    char text[255];
};
