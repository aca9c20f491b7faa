#pragma once
#include <sys/shm.h>

#define LINE_LEN 1024

typedef struct {
    int written; // 0: write, 1: read
    char line[LINE_LEN];
} line_t;
