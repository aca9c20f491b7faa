/* A caller that does everything wrong, and gets an error for it. Usage: hostile KEY */
#include "expect.h"
#include <signal.h>
#include <stdint.h>
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
    FAILS(shmh_call(NULL, "x", 1, &byte, 1, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_reply(NULL, "x", 1), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_end(NULL, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_recover(NULL, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_await_reader(NULL, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_await_next_writer(NULL), SHMH_E_INVALID, EINVAL);
    EXPECT(shmh_interrupt(NULL), SHMH_E_INVALID);
    EXPECT(shmh_close(NULL, 0), SHMH_OK);
    EXPECT((int)shmh_capacity(NULL), 0);
    EXPECT((int)shmh_record_len(NULL), 0);
    EXPECT((int)shmh_reply_len(NULL), 0);
    EXPECT((int)shmh_spec(NULL, &byte, 1), 0);
    EXPECT(byte, 0);
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
    FAILS(shmh_call(reader, "x", 1, buffer, 1, 0), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_reply(writer, "x", 1), SHMH_E_WRONG_ROLE, EPERM);
    FAILS(shmh_call(writer, "x", 1, buffer, 1, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_reply(reader, "x", 1), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_send(writer, "x", SIZE_MAX / 2 + 1, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_send(writer, "x", SIZE_MAX, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_recv(reader, buffer, SIZE_MAX / 2 + 1, &len, 0), SHMH_E_INVALID, EINVAL);
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
    FAILS(shmh_call(writer, "x", 1, buffer, 1, 0), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_reply(reader, "x", 1), SHMH_E_CLOSED, EBADF);
    EXPECT((int)shmh_record_len(writer), 0);
    EXPECT((int)shmh_reply_len(writer), 0);
    EXPECT((int)shmh_spec(writer, buffer, sizeof buffer), 0);
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

/* Nothing can be opened so, and nothing is made at the key. */
static void refused(int key, const struct shmh_options *options, const char *why)
{
    struct shmh *channel;

    FAILS(shmh_open(&channel, key, SHMH_WRITER, options), SHMH_E_INVALID, EINVAL);
    if (channel != NULL || strstr(shmh_error(), why) == NULL || shmget(key, 0, 0) != -1) {
        fprintf(stderr, "\"%s\" says nothing of \"%s\", or made something\n", shmh_error(), why);
        exit(1);
    }
}

static void specs_that_declare_nothing(int key)
{
    static char very_long[600 << 10];
    struct shmh_options options;
    struct shmh *channel;

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.layout = SHMH_DECLARED;
    refused(key, &options, "one of declared and offsets");
    options.declared = "struct { int written; char *text; }";
    refused(key, &options, "pointer");
    EXPECT(strstr(shmh_error(), "\n  |                            ^^^^^\n") != NULL, 1);
    EXPECT(strstr(shmh_error(), "char text[2048]") != NULL, 1);
    options.declared = "";
    refused(key, &options, "");
    options.declared = "\xff\xfe";
    refused(key, &options, "UTF-8");
    options.declared = "text[9223372036854775808]";
    refused(key, &options, "");
    options.declared = "text[1024],size=9223372036854775808";
    refused(key, &options, "");
    options.declared = "text[1024],at=18446744073709551615";
    refused(key, &options, "");
    memset(very_long, '{', sizeof very_long - 1);
    options.declared = very_long;
    refused(key, &options, "bytes");
    options.declared = "text[1024]";
    options.layout = SHMH_ANY;
    refused(key, &options, "SHMH_DECLARED");
    options.layout = SHMH_SLOT;
    refused(key, &options, "SHMH_DECLARED");
    options.layout = SHMH_DECLARED;
    options.size = 0;
    refused(key, &options, "size");
    options.size = sizeof options + 1;
    refused(key, &options, "size");
    options.size = SIZE_MAX;
    refused(key, &options, "size");
    /* What the first version had, and nothing behind it. */
    options.size = offsetof(struct shmh_options, declared);
    refused(key, &options, "one of declared and offsets");
    options.layout = SHMH_SLOT;
    channel = open_at(key, SHMH_WRITER, &options);
    EXPECT(shmh_close(channel, 0), SHMH_OK);
    EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
    /* A folder is a file that can't be read. */
    options.size = sizeof options;
    options.layout = SHMH_DECLARED;
    options.declared = "/";
    FAILS(shmh_open(&channel, key, SHMH_WRITER, &options), SHMH_E_SYSTEM, EISDIR);
}

#define WITH(member, value, why)          \
    do {                                  \
        offsets = good;                   \
        offsets.member = value;           \
        refused(key, &options, why);      \
    } while (0)

static void offsets_that_declare_nothing(int key)
{
    static const size_t huge = SIZE_MAX / 2 + 1;
    struct shmh_span span = {4, 60}, reply = {64, 4};
    struct shmh_offsets good, offsets;
    struct shmh_options options;

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.layout = SHMH_DECLARED;
    options.offsets = &offsets;
    memset(&good, 0, sizeof good);
    offsets = good;
    refused(key, &options, "sizeof(struct shmh_offsets)");
    good.size = sizeof good;
    offsets = good;
    refused(key, &options, "flag");
    good.flag.len = 4;
    good.kind = SHMH_DATA;
    good.payload = &span;
    good.payload_count = 1;
    good.reply = &reply;
    good.reply_count = 1;
    good.segment_size = 68;
    WITH(size, SIZE_MAX, "sizeof(struct shmh_offsets)");
    WITH(size, sizeof good - 1, "sizeof(struct shmh_offsets)");
    WITH(flag.len, 2, "flag");
    WITH(flag.len, huge, "flag");
    WITH(flag.offset, 2, "lies over");
    WITH(flag.offset, 8, "");
    WITH(flag.offset, huge, "");
    WITH(flag.offset, SIZE_MAX, "");
    WITH(full, 1LL << 40, "");
    WITH(empty, -(1LL << 62), "");
    WITH(empty, 1LL << 32, "");
    WITH(kind, 0, "SHMH_TEXT");
    WITH(kind, 3, "SHMH_TEXT");
    WITH(payload, NULL, "NULL");
    WITH(payload_count, 0, "no spans");
    WITH(payload_count, (size_t)1 << 32, "SHMH_MOST_SPANS");
    WITH(payload_count, SIZE_MAX, "SHMH_MOST_SPANS");
    WITH(reply, NULL, "NULL");
    WITH(reply_count, SHMH_MOST_SPANS + 1, "SHMH_MOST_SPANS");
    WITH(reply_count, huge, "SHMH_MOST_SPANS");
    WITH(segment_size, 67, "");
    WITH(segment_size, huge, "");
    WITH(at, 4, "");
    WITH(at, huge, "");
    WITH(at, SIZE_MAX, "");
    good.segment_size = 0;
    WITH(at, 2, "multiple of 4");
    WITH(at, huge, "");
    WITH(at_least, 1, "segment_size");
    offsets = good;
    span.len = 0;
    refused(key, &options, "no bytes");
    span.len = huge;
    refused(key, &options, "");
    span.len = SIZE_MAX;
    span.offset = SIZE_MAX;
    refused(key, &options, "");
    span.len = 60;
    span.offset = 2;
    refused(key, &options, "");
    span.offset = 4;
    reply.offset = 0;
    refused(key, &options, "");
    reply.offset = huge;
    refused(key, &options, "");
    reply.offset = 64;
    options.declared = "text[60]";
    refused(key, &options, "not both");
}

static void answers_of_another_length(int key)
{
    struct shmh_options options;
    struct shmh *reader, *writer;
    const void *bytes;
    size_t len;
    char record[60] = "", answer[8];

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.layout = SHMH_DECLARED;
    options.declared = "struct { int written; unsigned char data[60]; int answer; },reply=answer";
    reader = open_at(key, SHMH_READER, &options);
    writer = open_at(key, SHMH_WRITER, &options);
    FAILS(shmh_call(writer, record, sizeof record, answer, 0, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_call(writer, record, sizeof record, answer, 3, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_call(writer, record, sizeof record, answer, 8, 0), SHMH_E_INVALID, EINVAL);
    EXPECT(strstr(shmh_error(), "4") != NULL, 1);
    FAILS(shmh_call(writer, record, sizeof record, answer, SIZE_MAX, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_call(writer, record, SIZE_MAX / 2 + 1, answer, 4, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_call(writer, record, sizeof record, NULL, 4, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_call(writer, NULL, sizeof record, answer, 4, 0), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_call(writer, record, sizeof record, record + 56, 4, 0), SHMH_E_INVALID, EINVAL);
    EXPECT(strstr(shmh_error(), "overlaps") != NULL, 1);
    FAILS(shmh_call(writer, record, 59, answer, 4, 0), SHMH_E_UNSENDABLE, EMSGSIZE);
    FAILS(shmh_reply(reader, answer, 4), SHMH_E_INVALID, EINVAL);
    EXPECT(strstr(shmh_error(), "shmh_peek()") != NULL, 1);
    /* Nobody answers in time, and the request lies there. */
    FAILS(shmh_call(writer, record, sizeof record, answer, 4, 20), SHMH_E_TIMED_OUT, ETIMEDOUT);
    FAILS(shmh_call(writer, record, sizeof record, answer, 4, 0), SHMH_E_TIMED_OUT, EAGAIN);
    EXPECT(shmh_peek(reader, &bytes, &len, -1), SHMH_OK);
    FAILS(shmh_reply(reader, answer, 3), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_reply(reader, NULL, 4), SHMH_E_INVALID, EINVAL);
    FAILS(shmh_reply(reader, answer, SIZE_MAX), SHMH_E_INVALID, EINVAL);
    EXPECT(shmh_reply(reader, "abcd", 4), SHMH_OK);
    EXPECT(shmh_reply(reader, bytes, 4), SHMH_OK);
    EXPECT(shmh_release(reader), SHMH_OK);
    EXPECT(shmh_end(writer, -1), SHMH_OK);
    EXPECT(shmh_close(writer, -1), SHMH_OK);
    EXPECT(shmh_peek(reader, &bytes, &len, -1), SHMH_ENDED);
    FAILS(shmh_reply(reader, answer, 4), SHMH_E_INVALID, EINVAL);
    EXPECT(shmh_release(reader), SHMH_ENDED);
    EXPECT(shmh_close(reader, -1), SHMH_OK);
}

static struct shmh *left_open;

/* The destructors of this thread have run, and what fails now is still said. */
/* A ring refuses the schema of other messages, and a side that names none takes any. */
static void other_schemas(int key)
{
    struct shmh_options options;
    struct shmh *channel, *other;

    EXPECT(shmh_schema("Tick/24{time:u64@0,bid:f64@8,ask:f64@16}") == 0x9977018ded96c156u, 1);
    EXPECT(shmh_schema("") == 0xcbf29ce484222325u, 1);
    EXPECT(shmh_schema(NULL) == 0, 1);
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.layout = SHMH_RING;
    options.schema = shmh_schema("a");
    channel = open_at(key, SHMH_WRITER, &options);
    options.schema = shmh_schema("b");
    FAILS(shmh_open(&other, key, SHMH_READER, &options), SHMH_E_NOT_A_CHANNEL, EPROTO);
    EXPECT(strstr(shmh_error(), "schema in struct shmh_options") != NULL, 1);
    EXPECT(strstr(shmh_error(), "0xaf63dc4c8601ec8c") != NULL, 1);
    options.schema = 0;
    other = open_at(key, SHMH_READER, &options);
    EXPECT(shmh_close(other, 0), SHMH_OK);
    options.schema = shmh_schema("a");
    other = open_at(key, SHMH_READER, &options);
    EXPECT(shmh_close(other, 0), SHMH_OK);
    /* A program that was built before there were schemas, and has something else behind its struct. */
    options.size = offsetof(struct shmh_options, offsets) + sizeof options.offsets;
    options.schema = shmh_schema("b");
    other = open_at(key, SHMH_READER, &options);
    EXPECT(shmh_close(other, 0), SHMH_OK);
    EXPECT(shmh_close(channel, 0), SHMH_OK);
    EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
}

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
    EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
    specs_that_declare_nothing(key);
    offsets_that_declare_nothing(key);
    answers_of_another_length(key);
    other_schemas(key);
    left_open = open_at(key, SHMH_READER, NULL);
    puts("each got its error");
    return 0;
}
