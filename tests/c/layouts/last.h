struct line {
    char text[1024];
    int flag;
};
