/* Prints what comes at several keys, in one thread: docs/c.md. Usage: loop KEY... */
#include "channel.h"
#include <sys/epoll.h>

enum { MOST = 16 };

int main(int argc, char **argv)
{
    struct shmh *channels[MOST];
    struct epoll_event event;
    char text[2048];
    size_t len;
    int got, at, left = 0, events = epoll_create1(EPOLL_CLOEXEC);

    memset(&event, 0, sizeof event);
    event.events = EPOLLIN;
    for (at = 1; at < argc && at < MOST; at++, left++) {
        channels[at] = open_channel(2, argv + at - 1, SHMH_READER, NULL);
        event.data.u32 = (unsigned)at;
        if (shmh_fd(channels[at]) < 0)
            give_up();
        if (epoll_ctl(events, EPOLL_CTL_ADD, shmh_fd(channels[at]), &event) != 0) {
            perror("epoll_ctl");
            return EXIT_FAILURE;
        }
    }
    while (left > 0) {
        if (epoll_wait(events, &event, 1, -1) != 1)
            continue; /* a signal handler has run */
        at = (int)event.data.u32;
        got = shmh_recv(channels[at], text, sizeof text, &len, 0);
        if (got == SHMH_OK) {
            printf("%s: %.*s", argv[at], (int)len, text);
            fflush(stdout);
        } else if (got == SHMH_ENDED) {
            if (shmh_close(channels[at], -1) != SHMH_OK) /* and the descriptor is closed */
                give_up();
            left--;
        } else if (got != SHMH_E_TIMED_OUT) {
            give_up();
        }
    }
    return EXIT_SUCCESS;
}
