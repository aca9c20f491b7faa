typedef struct mat {
    int flag;
    int mat[9];
} mat_t;
