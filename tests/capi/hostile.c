/* A caller that does everything wrong, and gets an error for it. Usage: hostile KEY */
#include "expect.h"
#include <signal.h>
#include <sys/shm.h>
#include <unistd.h>

static struct shmh *waiting;

static void on_alarm(int number)
{
    (void)number;
    shmh_interrupt(waiting);
}

static void nothing_is_wrong_with_null(int key)
{
    struct shmh *channel;
    const void *text;
    size_t len;
    char byte;
    struct shmh_options options;

    FAILS(shmh_open(NULL, key, SHMH_READER, NULL), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_open(&channel, 0, SHMH_READER, NULL), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_open(&channel, key, 0, NULL), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_open(&channel, key, 3, NULL), SHMH_E_INVALID, EINVAL);
    memset(&options, 0, sizeof options);
    FAILS(shmh_open(&channel, key, SHMH_READER, &options), SHMH_E_INVALID, EINVAL);
    options.size = sizeof options;
    options.layout = 7;
    FAILS(shmh_open(&channel, key, SHMH_READER, &options), SHMH_E_INVALID, EINVAL);
    options.layout = SHMH_RING;
    options.capacity = 12345;
    FAILS(shmh_open(&channel, key, SHMH_READER, &options), SHMH_E_INVALID, EINVAL);
    options.capacity = 0;
    options.mode = 0777;
    FAILS(shmh_open(&channel, key, SHMH_READER, &options), SHMH_E_INVALID, EINVAL);
    if (channel != NULL)
        exit(1);
    FAILS(shmh_send(NULL, "x", 1, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_recv(NULL, &byte, 1, &len, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_peek(NULL, &text, &len, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_release(NULL), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_end(NULL, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_recover(NULL, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_await_reader(NULL, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_await_next_writer(NULL), SHMH_E_INVALID, EINVAL);
    EXPECT(shmh_interrupt(NULL), SHMH_E_INVALID);
    EXPECT(shmh_close(NULL, 0), SHMH_OK);
    EXPECT((int)shmh_capacity(NULL), 0);
}

static void roles_and_closed_handles(int key)
{
    struct shmh *reader = open_at(key, SHMH_READER, NULL), *writer = open_at(key, SHMH_WRITER, NULL), *second;
    const void *text;
    size_t len = 99;
    char buffer[2048];

    FAILS(shmh_open(&second, key, SHMH_READER, NULL), SHMH_E_ROLE_TAKEN, EBUSY);
    FAILS(shmh_send(reader, "x", 1, 0), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_end(reader, 0), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_recv(writer, buffer, sizeof buffer, &len, 0), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_peek(writer, &text, &len, 0), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_release(writer), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_await_reader(reader, 0), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_await_next_writer(writer), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_peek(reader, NULL, &len, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_send(writer, NULL, 1, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_recv(reader, NULL, 1, &len, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_send(writer, "a\0b", 3, -1), SHMH_E_UNSENDABLE, EMSGSIZE);
    FAILS(shmh_send(writer, "endless", 7, -1), SHMH_E_UNSENDABLE, EMSGSIZE);
    FAILS(shmh_recv(reader, buffer, sizeof buffer, &len, 0), SHMH_E_TIMED_OUT, EAGAIN);
    FAILS(shmh_recv(reader, buffer, sizeof buffer, &len, 1), SHMH_E_TIMED_OUT, ETIMEDOUT);
    EXPECT(shmh_release(reader), SHMH_OK);

    EXPECT(shmh_send(writer, "hello", 5, -1), SHMH_OK);
    FAILS(shmh_send(writer, "again", 5, 0), SHMH_E_TIMED_OUT, EAGAIN);
    FAILS(shmh_recv(reader, buffer, 4, &len, 0), SHMH_E_TOO_SMALL, ENOBUFS);
    EXPECT(shmh_peek(reader, &text, &len, -1), SHMH_OK);
    EXPECT(len == 5 && memcmp(text, "hello", 5) == 0, 1);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, NULL, -1), SHMH_OK);
    EXPECT(shmh_recover(reader, 0), SHMH_OK);
    EXPECT(shmh_recover(writer, 0), SHMH_OK);

    waiting = reader;
    signal(SIGALRM, on_alarm);
    alarm(1);
    FAILS(shmh_recv(reader, buffer, sizeof buffer, &len, -1), SHMH_E_INTERRUPTED, EINTR);
    FAILS(shmh_recv(reader, buffer, sizeof buffer, &len, 1), SHMH_E_TIMED_OUT, ETIMEDOUT);

    EXPECT(shmh_end(writer, -1), SHMH_OK);
    EXPECT(shmh_peek(reader, &text, &len, -1), SHMH_ENDED);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, -1), SHMH_ENDED);
    EXPECT(len == 4 && memcmp(buffer, "end\n", 4) == 0, 1);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, -1), SHMH_ENDED);
    EXPECT(shmh_peek(reader, &text, &len, -1), SHMH_ENDED);
    EXPECT(shmh_release(reader), SHMH_ENDED);

    EXPECT(shmh_close(writer, -1), SHMH_OK);
    EXPECT(shmh_close(reader, -1), SHMH_OK);
    FAILS(shmh_close(reader, -1), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_close(writer, -1), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_send(writer, "x", 1, 0), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_recv(reader, buffer, sizeof buffer, &len, 0), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_peek(reader, &text, &len, 0), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_release(reader), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_recover(writer, 0), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_await_reader(writer, 0), SHMH_E_CLOSED, EBADF);
    EXPECT(shmh_interrupt(reader), SHMH_OK);
    EXPECT((int)shmh_capacity(reader), 0);
}

/* Many handles, one after the other: those closed last are still known. */
static void many_handles(int key)
{
    struct shmh *last = NULL;

    for (int round = 0; round < 200; round++) {
        struct shmh *channel = open_at(key, SHMH_WRITER, NULL);

        if (channel == last)
            exit(1);
        EXPECT(shmh_close(channel, 0), SHMH_OK);
        FAILS(shmh_send(channel, "x", 1, 0), SHMH_E_CLOSED, EBADF);
        last = channel;
    }
}

static void a_ring(int key)
{
    struct shmh_options options;
    struct shmh *reader, *writer;
    const void *bytes;
    size_t len;
    char buffer[8];

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.layout = SHMH_RING;
    options.capacity = 64 << 10;
    reader = open_at(key, SHMH_READER, &options);
    FAILS(shmh_open(&writer, key, SHMH_WRITER, NULL) == SHMH_OK ? shmh_send(writer, buffer, 1 << 20, -1) : -99,
          SHMH_E_UNSENDABLE, EMSGSIZE);
    EXPECT(shmh_capacity(writer) == 16 << 10, 1);
    EXPECT(shmh_send(writer, "a\0b", 3, 0), SHMH_OK);
    EXPECT(shmh_send(writer, "", 0, 0), SHMH_OK);
    EXPECT(shmh_peek(reader, &bytes, &len, -1), SHMH_OK);
    EXPECT(len == 3 && memcmp(bytes, "a\0b", 3) == 0, 1);
    EXPECT(shmh_release(reader), SHMH_OK);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, -1), SHMH_OK);
    EXPECT((int)len, 0);
    EXPECT(shmh_end(writer, -1), SHMH_OK);
    EXPECT(shmh_close(writer, -1), SHMH_OK);
    EXPECT(shmh_peek(reader, &bytes, &len, -1), SHMH_ENDED);
    EXPECT(shmh_release(reader), SHMH_ENDED);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, -1), SHMH_ENDED);
    EXPECT(shmh_close(reader, -1), SHMH_OK);
}

/* What was received is the writer's space again when the reader closes. */
static void who_closes_gives_back(int key)
{
    struct shmh_options options;
    struct shmh *reader, *writer;
    char block[8000]; /* eight of them, and two are less than the quarter that is given back by itself */

    memset(&options, 0, sizeof options);
    memset(block, 'x', sizeof block);
    options.size = sizeof options;
    options.layout = SHMH_RING;
    options.capacity = 64 << 10;
    reader = open_at(key, SHMH_READER, &options);
    writer = open_at(key, SHMH_WRITER, NULL);
    for (int sent = 0; sent < 8; sent++)
        EXPECT(shmh_send(writer, block, sizeof block, 0), SHMH_OK);
    FAILS(shmh_send(writer, block, sizeof block, 0), SHMH_E_TIMED_OUT, EAGAIN);
    EXPECT(shmh_recv(reader, block, sizeof block, NULL, 0), SHMH_OK);
    EXPECT(shmh_recv(reader, block, sizeof block, NULL, 0), SHMH_OK);
    FAILS(shmh_send(writer, block, sizeof block, 0), SHMH_E_TIMED_OUT, EAGAIN);
    EXPECT(shmh_close(reader, -1), SHMH_OK);
    EXPECT(shmh_send(writer, block, sizeof block, 0), SHMH_OK);
    EXPECT(shmh_close(writer, -1), SHMH_OK);
    EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
}

/* Who says that the reader has gone can wait for the next one, and go on. */
static void a_reader_that_went_is_followed_by_the_next(int key)
{
    static const int layouts[] = {SHMH_SLOT, SHMH_RING};
    static char block[16 << 10];

    memset(block, 'x', sizeof block);
    for (int which = 0; which < 2; which++) {
        struct shmh_options options;
        struct shmh *reader, *writer;
        size_t len = layouts[which] == SHMH_SLOT ? 5 : sizeof block;

        memset(&options, 0, sizeof options);
        options.size = sizeof options;
        options.layout = layouts[which];
        if (options.layout == SHMH_RING)
            options.capacity = 64 << 10;
        writer = open_at(key, SHMH_WRITER, &options);
        FAILS(shmh_await_reader(writer, 0), SHMH_E_TIMED_OUT, EAGAIN);
        FAILS(shmh_await_reader(writer, 20), SHMH_E_TIMED_OUT, ETIMEDOUT);
        waiting = writer;
        alarm(1);
        FAILS(shmh_await_reader(writer, -1), SHMH_E_INTERRUPTED, EINTR);
        reader = open_at(key, SHMH_READER, &options);
        EXPECT(shmh_await_reader(writer, 0), SHMH_OK);
        EXPECT(shmh_send(writer, block, len, 0), SHMH_OK);
        EXPECT(shmh_recv(reader, block, sizeof block, NULL, 0), SHMH_OK);
        while (shmh_send(writer, block, len, 0) == SHMH_OK)
            ;
        EXPECT(shmh_close(reader, -1), SHMH_OK);
        FAILS(shmh_send(writer, block, len, -1), SHMH_E_PEER_GONE, EPIPE);
        EXPECT(strstr(shmh_error(), "shmh_await_reader()") != NULL, 1);
        FAILS(shmh_await_reader(writer, 0), SHMH_E_TIMED_OUT, EAGAIN);
        reader = open_at(key, SHMH_READER, &options);
        EXPECT(shmh_await_reader(writer, -1), SHMH_OK);
        while (shmh_recv(reader, block, sizeof block, NULL, 0) == SHMH_OK)
            ;
        EXPECT(shmh_send(writer, block, len, -1), SHMH_OK);
        EXPECT(shmh_close(reader, -1), SHMH_OK);
        EXPECT(shmh_close(writer, 0), SHMH_OK);
        EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
    }
}

/* A message lies in a removed segment, whose reader may take it yet: close waits for that, as long as it is told to. */
static void closing_waits_as_told(int key)
{
    struct shmh *reader, *writer;
    char buffer[2048];
    size_t len;

    for (int how = 0; how < 3; how++) {
        reader = open_at(key, SHMH_READER, NULL);
        writer = open_at(key, SHMH_WRITER, NULL);
        EXPECT(shmh_send(writer, "hello", 5, -1), SHMH_OK);
        EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
        if (how == 0) {
            FAILS(shmh_close(writer, 0), SHMH_E_TIMED_OUT, EAGAIN);
        } else if (how == 1) {
            FAILS(shmh_close(writer, 20), SHMH_E_TIMED_OUT, ETIMEDOUT);
        } else {
            waiting = writer;
            alarm(1);
            FAILS(shmh_close(writer, -1), SHMH_E_INTERRUPTED, EINTR);
        }
        FAILS(shmh_send(writer, "x", 1, 0), SHMH_E_CLOSED, EBADF);
        EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, 0), SHMH_OK);
        EXPECT(len == 5 && memcmp(buffer, "hello", 5) == 0, 1);
        EXPECT(shmh_close(reader, -1), SHMH_OK);
    }
}

static struct shmh *left_open;

/* The destructors of this thread have run, and what fails now is still said. */
static void at_exit(void)
{
    if (left_open == NULL) /* it has failed already */
        return;
    if (shmh_close(left_open, -1) != SHMH_OK || shmh_close(left_open, -1) != SHMH_E_CLOSED ||
        strstr(shmh_error(), "closed") == NULL)
        _exit(2);
}

int main(int argc, char **argv)
{
    int key = argc > 1 ? (int)strtoul(argv[1], NULL, 0) : 0;

    atexit(at_exit);
    nothing_is_wrong_with_null(key);
    roles_and_closed_handles(key);
    a_ring(key);
    who_closes_gives_back(key);
    a_reader_that_went_is_followed_by_the_next(key);
    closing_waits_as_told(key);
    many_handles(key);
    left_open = open_at(key, SHMH_READER, NULL);
    puts("each got its error");
    return 0;
}
