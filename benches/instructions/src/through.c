// The same as main.rs, by a C program and the static library: c-ring and c-classic.

#include "shm_handoff.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

static _Alignas(64) char text[2048], into[2048];

static void need(int result, const char *what) {
    if (result != SHMH_OK) {
        fprintf(stderr, "%s: %d\n", what, result);
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    size_t size = strtoul(argv[2], NULL, 10), len;
    long count = strtol(argv[3], NULL, 10);
    int key = 0x5c000000 | getpid();
    struct shmh_options options = {
        .size = sizeof options, .layout = strcmp(argv[1], "c-ring") == 0 ? SHMH_RING : SHMH_SLOT};
    struct shmh *writer, *reader;
    need(shmh_open(&reader, key, SHMH_READER, &options), "reader");
    need(shmh_open(&writer, key, SHMH_WRITER, &options), "writer");
    memset(text, 'x', sizeof text);
    for (long at = 0; at < count; at++) {
        need(shmh_send(writer, text, size, -1), "send");
        need(shmh_recv(reader, into, sizeof into, &len, -1), "receive");
    }
    need(shmh_close(writer, -1), "leave");
    need(shmh_close(reader, -1), "leave");
    return shmctl(shmget(key, 0, 0), IPC_RMID, NULL);
}
