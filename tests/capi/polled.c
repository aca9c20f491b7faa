/* Handles with a descriptor, by epoll, on every layout. Usage: polled KEY */
#include "expect.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GENEROUS_MS = 30000, RECORD = 8 };

static int key;
static const struct shmh_options *layout;

static int within(int descriptor, int timeout_ms)
{
    int events = epoll_create1(EPOLL_CLOEXEC), got;
    struct epoll_event event;

    memset(&event, 0, sizeof event);
    event.events = EPOLLIN;
    EXPECT(epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event), 0);
    do
        got = epoll_wait(events, &event, 1, timeout_ms);
    while (got < 0 && errno == EINTR);
    close(events);
    return got;
}

/* What was done in this process shows at once, what another one does soon. */
#define IS_READABLE(descriptor) EXPECT(within(descriptor, 0), 1)
#define BECOMES_READABLE(descriptor) EXPECT(within(descriptor, GENEROUS_MS), 1)
#define IS_NOT_READABLE(descriptor) EXPECT(within(descriptor, 0), 0)

static int descriptor_of(struct shmh *handle)
{
    int descriptor = shmh_fd(handle);

    EXPECT(descriptor >= 0, 1);
    EXPECT(shmh_fd(handle), descriptor);
    EXPECT(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
    return descriptor;
}

static int is_ring(void)
{
    return layout != NULL && layout->layout == SHMH_RING;
}

static void remove_segment(void)
{
    shmctl(shmget(key, 0, 0), IPC_RMID, NULL);
}

static void takes(struct shmh *reader, const char *record)
{
    char buffer[2048];
    size_t len = 0;

    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, 0), SHMH_OK);
    EXPECT(len == RECORD && memcmp(buffer, record, RECORD) == 0, 1);
}

static void sends(struct shmh *writer, const char *record)
{
    EXPECT(shmh_send(writer, record, RECORD, GENEROUS_MS), SHMH_OK);
}

/* Readable exactly while there is something to do. */
static void a_reader(void)
{
    struct shmh *reader = open_at(key, SHMH_READER, layout), *writer = open_at(key, SHMH_WRITER, layout);
    int descriptor = descriptor_of(reader);
    const void *bytes;
    char buffer[2048];
    size_t len;

    for (int round = 0; round < 100; round++) {
        IS_NOT_READABLE(descriptor);
        sends(writer, "message1");
        BECOMES_READABLE(descriptor);
        IS_READABLE(descriptor);
        if (is_ring()) {
            sends(writer, "message2");
            takes(reader, "message1");
            IS_READABLE(descriptor);
            takes(reader, "message2");
        } else {
            takes(reader, "message1");
        }
        IS_NOT_READABLE(descriptor);
        FAILS(shmh_recv(reader, buffer, sizeof buffer, NULL, 0), SHMH_E_TIMED_OUT, EAGAIN);
        IS_NOT_READABLE(descriptor);
    }
    /* One that lay there before. */
    sends(writer, "message3");
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    EXPECT(fcntl(descriptor, F_GETFD), -1);
    reader = open_at(key, SHMH_READER, layout);
    descriptor = descriptor_of(reader);
    IS_READABLE(descriptor);
    /* What was peeked at stays to be released. */
    EXPECT(shmh_peek(reader, &bytes, &len, 0), SHMH_OK);
    IS_READABLE(descriptor);
    EXPECT((int)shmh_reply_len(reader), layout != NULL && layout->layout == SHMH_DECLARED ? RECORD : 0);
    EXPECT(shmh_capacity(reader) >= RECORD, 1);
    EXPECT(len == RECORD && memcmp(bytes, "message3", RECORD) == 0, 1);
    IS_READABLE(descriptor);
    EXPECT(shmh_release(reader), SHMH_OK);
    IS_NOT_READABLE(descriptor);
    /* Calls of the other role are refused as ever, and calls that wait do. */
    FAILS(shmh_send(reader, "x", 1, 0), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_recv(reader, buffer, sizeof buffer, NULL, 50), SHMH_E_TIMED_OUT, ETIMEDOUT);
    IS_NOT_READABLE(descriptor);
    EXPECT(shmh_recover(reader, 0), SHMH_OK);
    EXPECT(shmh_interrupt(reader), SHMH_OK);
    FAILS(shmh_recv(reader, buffer, sizeof buffer, NULL, -1), SHMH_E_INTERRUPTED, EINTR);
    /* Too small is no reason to forget it. */
    sends(writer, "message4");
    BECOMES_READABLE(descriptor);
    FAILS(shmh_recv(reader, buffer, 4, NULL, 0), SHMH_E_TOO_SMALL, ENOBUFS);
    IS_READABLE(descriptor);
    takes(reader, "message4");
    EXPECT(shmh_close(writer, 0), SHMH_OK);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    FAILS(shmh_fd(reader), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_fd(NULL), SHMH_E_INVALID, EINVAL);
    remove_segment();
}

enum way { BY_RECEIVING, BY_PEEKING, BY_A_MESSAGE };

/* The end is there to be met, and met it stays. */
static void the_end(enum way way)
{
    struct shmh *reader = open_at(key, SHMH_READER, layout), *writer = open_at(key, SHMH_WRITER, layout);
    int descriptor = descriptor_of(reader), of_writer = descriptor_of(writer);
    char buffer[2048];
    const void *bytes;
    size_t len;

    sends(writer, "message1");
    BECOMES_READABLE(descriptor);
    takes(reader, "message1");
    if (way == BY_A_MESSAGE)
        EXPECT(shmh_send(writer, "end\n", 4, GENEROUS_MS), SHMH_OK);
    else
        EXPECT(shmh_end(writer, GENEROUS_MS), SHMH_OK);
    IS_READABLE(of_writer);
    EXPECT(shmh_capacity(writer) >= RECORD, 1);
    IS_READABLE(of_writer);
    BECOMES_READABLE(descriptor);
    if (way == BY_PEEKING) {
        EXPECT(shmh_peek(reader, &bytes, &len, 0), SHMH_ENDED);
        IS_READABLE(descriptor);
        EXPECT(shmh_release(reader), SHMH_ENDED);
    } else {
        EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, 0), SHMH_ENDED);
    }
    IS_READABLE(descriptor);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, 0), SHMH_ENDED);
    IS_READABLE(descriptor);
    EXPECT(shmh_close(writer, 0), SHMH_OK);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    /* Nobody waits for what comes behind the end: so no segment was made for that. */
    EXPECT(shmget(key, 0, 0), -1);
}

/* The same where the descriptor is made behind the end. */
static void the_end_comes_first(void)
{
    struct shmh *reader = open_at(key, SHMH_READER, layout), *writer = open_at(key, SHMH_WRITER, layout);
    char buffer[2048];
    int descriptor;

    sends(writer, "message1");
    takes(reader, "message1");
    EXPECT(shmh_end(writer, GENEROUS_MS), SHMH_OK);
    descriptor = descriptor_of(writer);
    IS_READABLE(descriptor);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, NULL, GENEROUS_MS), SHMH_ENDED);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    EXPECT(shmh_capacity(writer) >= RECORD, 1);
    IS_READABLE(descriptor);
    EXPECT(shmh_close(writer, 0), SHMH_OK);
    EXPECT(shmget(key, 0, 0), -1);
}

/* The next one begins when it is waited for. */
static void the_next_session(void)
{
    struct shmh *reader = open_at(key, SHMH_READER, layout), *writer = open_at(key, SHMH_WRITER, layout);
    int descriptor = descriptor_of(writer);
    char buffer[2048];

    sends(writer, "message1");
    takes(reader, "message1");
    EXPECT(shmh_end(writer, GENEROUS_MS), SHMH_OK);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, NULL, GENEROUS_MS), SHMH_ENDED);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    if (!is_ring()) {
        FAILS(shmh_send(writer, "message2", RECORD, 0), SHMH_E_TIMED_OUT, EAGAIN);
        IS_NOT_READABLE(descriptor);
    }
    reader = open_at(key, SHMH_READER, layout);
    BECOMES_READABLE(descriptor);
    sends(writer, "message2");
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, NULL, GENEROUS_MS), SHMH_OK);
    EXPECT(memcmp(buffer, "message2", RECORD), 0);
    EXPECT(shmh_close(writer, 0), SHMH_OK);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    remove_segment();
}

/* How much fits, message by message. */
static int fills(struct shmh *writer, const void *message, size_t len)
{
    int sent = 0;

    while (shmh_send(writer, message, len, sent == 0 ? GENEROUS_MS : 0) == SHMH_OK)
        sent++;
    EXPECT(errno, EAGAIN);
    return sent;
}

static void empties(struct shmh *reader)
{
    static char buffer[32 << 10];

    while (shmh_recv(reader, buffer, sizeof buffer, NULL, 0) == SHMH_OK)
        continue;
    EXPECT(errno, EAGAIN);
}

static void a_writer(void)
{
    static const char large[12 << 10] = "a large one";
    struct shmh *writer = open_at(key, SHMH_WRITER, layout), *reader;
    int descriptor = descriptor_of(writer);

    if (is_ring()) {
        IS_READABLE(descriptor);
    } else {
        /* In a slot it waits for a reader, too. */
        IS_NOT_READABLE(descriptor);
        FAILS(shmh_send(writer, "message0", RECORD, 0), SHMH_E_TIMED_OUT, EAGAIN);
        IS_NOT_READABLE(descriptor);
    }
    reader = open_at(key, SHMH_READER, layout);
    BECOMES_READABLE(descriptor);
    for (int round = 0; round < 20; round++) {
        EXPECT(fills(writer, "message1", RECORD) >= 1, 1);
        IS_NOT_READABLE(descriptor);
        empties(reader);
        BECOMES_READABLE(descriptor);
    }
    if (is_ring()) {
        /* Room for the large one is what it waits for, and no other room. */
        EXPECT(fills(writer, large, sizeof large) >= 1, 1);
        IS_NOT_READABLE(descriptor);
        EXPECT((int)shmh_record_len(writer), 0);
        IS_NOT_READABLE(descriptor);
        EXPECT(shmh_send(writer, "message2", RECORD, 0), SHMH_OK);
        IS_READABLE(descriptor);
        EXPECT(shmh_send(writer, large, sizeof large, 0), SHMH_E_TIMED_OUT);
        IS_NOT_READABLE(descriptor);
        empties(reader);
        BECOMES_READABLE(descriptor);
        EXPECT(shmh_send(writer, large, sizeof large, 0), SHMH_OK);
        empties(reader);
    }
    EXPECT(shmh_close(writer, 0), SHMH_OK);
    EXPECT(fcntl(descriptor, F_GETFD), -1);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    remove_segment();
}

/* Another process with the other role, which has done its part when this returns, and then waits to be killed. */
static pid_t start_peer(int role)
{
    int done[2];
    char byte;
    pid_t peer;

    EXPECT(pipe(done), 0);
    peer = fork();
    if (peer == 0) {
        struct shmh *own = open_at(key, role, layout);

        if (role == SHMH_WRITER)
            sends(own, "its last");
        EXPECT((int)write(done[1], "x", 1), 1);
        for (;;)
            pause();
    }
    close(done[1]);
    EXPECT((int)read(done[0], &byte, 1), 1);
    close(done[0]);
    return peer;
}

static void kill_peer(pid_t peer)
{
    EXPECT(kill(peer, SIGKILL), 0);
    EXPECT(waitpid(peer, NULL, 0) == peer, 1);
}

static void a_writer_dies(void)
{
    struct shmh *reader = open_at(key, SHMH_READER, layout);
    int descriptor = descriptor_of(reader);
    char buffer[2048];

    for (int round = 0; round < 2; round++) {
        pid_t peer = start_peer(SHMH_WRITER);

        BECOMES_READABLE(descriptor);
        takes(reader, "its last");
        IS_NOT_READABLE(descriptor);
        kill_peer(peer);
        BECOMES_READABLE(descriptor);
        FAILS(shmh_recv(reader, buffer, sizeof buffer, NULL, 0), SHMH_E_PEER_GONE, EPIPE);
        IS_READABLE(descriptor);
        EXPECT(shmh_capacity(reader) >= RECORD, 1);
        BECOMES_READABLE(descriptor);
        FAILS(shmh_recv(reader, buffer, sizeof buffer, NULL, 0), SHMH_E_PEER_GONE, EPIPE);
        EXPECT(shmh_await_next_writer(reader), SHMH_OK);
        IS_NOT_READABLE(descriptor);
    }
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    remove_segment();
}

static void a_reader_dies(void)
{
    struct shmh *writer = open_at(key, SHMH_WRITER, layout);
    int descriptor = descriptor_of(writer);

    for (int round = 0; round < 2; round++) {
        pid_t peer = start_peer(SHMH_READER);

        EXPECT(shmh_await_reader(writer, GENEROUS_MS), SHMH_OK);
        EXPECT(fills(writer, "message1", RECORD) >= 1, 1);
        IS_NOT_READABLE(descriptor);
        kill_peer(peer);
        BECOMES_READABLE(descriptor);
        FAILS(shmh_send(writer, "message2", RECORD, 0), SHMH_E_PEER_GONE, EPIPE);
        IS_READABLE(descriptor);
        /* The next reader is waited for by the descriptor, too. */
        FAILS(shmh_await_reader(writer, 0), SHMH_E_TIMED_OUT, EAGAIN);
        IS_NOT_READABLE(descriptor);
        peer = start_peer(SHMH_READER);
        BECOMES_READABLE(descriptor);
        EXPECT(shmh_await_reader(writer, 0), SHMH_OK);
        FAILS(shmh_send(writer, "message2", RECORD, 0), SHMH_E_TIMED_OUT, EAGAIN);
        IS_NOT_READABLE(descriptor);
        kill_peer(peer);
        BECOMES_READABLE(descriptor);
        FAILS(shmh_send(writer, "message2", RECORD, 0), SHMH_E_PEER_GONE, EPIPE);
        /* Room for the next round. */
        {
            struct shmh *reader = open_at(key, SHMH_READER, layout);

            EXPECT(shmh_await_reader(writer, GENEROUS_MS), SHMH_OK);
            empties(reader);
            EXPECT(shmh_close(reader, 0), SHMH_OK);
        }
    }
    EXPECT(shmh_close(writer, 0), SHMH_OK);
    remove_segment();
}

/* Answers each request when its descriptor says that one is there, until the session ends. */
static void *answers(void *handle)
{
    struct shmh *reader = (struct shmh *)handle;
    int descriptor = descriptor_of(reader);
    const void *request;
    size_t len;
    int peeked;

    for (;;) {
        BECOMES_READABLE(descriptor);
        peeked = shmh_peek(reader, &request, &len, 0);
        if (peeked == SHMH_ENDED)
            break;
        EXPECT(peeked, SHMH_OK);
        EXPECT(shmh_reply(reader, request, len), SHMH_OK);
        EXPECT(shmh_release(reader), SHMH_OK);
    }
    EXPECT(shmh_release(reader), SHMH_ENDED);
    return NULL;
}

static void calls_and_answers(void)
{
    struct shmh *reader = open_at(key, SHMH_READER, layout), *writer = open_at(key, SHMH_WRITER, layout);
    char request[RECORD + 1], answer[RECORD];
    pthread_t answerer;

    descriptor_of(writer);
    EXPECT(pthread_create(&answerer, NULL, answers, reader), 0);
    for (int number = 0; number < 200; number++) {
        snprintf(request, sizeof request, "%08d", number);
        EXPECT(shmh_call(writer, request, RECORD, answer, sizeof answer, GENEROUS_MS), SHMH_OK);
        EXPECT(memcmp(answer, request, RECORD), 0);
    }
    EXPECT(shmh_end(writer, GENEROUS_MS), SHMH_OK);
    EXPECT(pthread_join(answerer, NULL), 0);
    EXPECT(shmh_close(writer, 0), SHMH_OK);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    EXPECT(shmget(key, 0, 0), -1);
}

/* The handle goes on without a descriptor. */
static void no_descriptor_is_left(void)
{
    struct shmh *reader = open_at(key, SHMH_READER, layout), *writer = open_at(key, SHMH_WRITER, layout);
    struct rlimit before, none;

    EXPECT(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    EXPECT(setrlimit(RLIMIT_NOFILE, &none), 0);
    FAILS(shmh_fd(reader), SHMH_E_SYSTEM, EMFILE);
    EXPECT(setrlimit(RLIMIT_NOFILE, &before), 0);
    sends(writer, "message1");
    takes(reader, "message1");
    IS_NOT_READABLE(descriptor_of(reader));
    EXPECT(shmh_close(writer, 0), SHMH_OK);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
    remove_segment();
}

static void all(const struct shmh_options *options)
{
    layout = options;
    a_reader();
    the_end(BY_RECEIVING);
    the_end(BY_PEEKING);
    if (layout == NULL)
        the_end(BY_A_MESSAGE);
    the_end_comes_first();
    the_next_session();
    a_writer();
    a_writer_dies();
    a_reader_dies();
    no_descriptor_is_left();
}

int main(int argc, char **argv)
{
    struct shmh_options ring, declared;

    key = argc > 1 ? (int)strtoul(argv[1], NULL, 0) : 0;
    memset(&ring, 0, sizeof ring);
    ring.size = sizeof ring;
    ring.layout = SHMH_RING;
    ring.capacity = 64 << 10;
    memset(&declared, 0, sizeof declared);
    declared.size = sizeof declared;
    declared.layout = SHMH_DECLARED;
    declared.declared = "struct { int written; char data[8]; char answer[8]; },data=data,reply=answer";
    all(NULL);
    all(&ring);
    all(&declared);
    calls_and_answers();
    puts("readable while there is something to do");
    return EXIT_SUCCESS;
}
