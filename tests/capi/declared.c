/* Slots in a struct of the program's own. Usage: declared KEY call|answer|text|data|file FILE.h */
#include "expect.h"
#include <sys/shm.h>

struct image {
    int written;
    unsigned char data[64 * 48 * 3];
    int control, pause;
    double fast;
};

struct answer { /* as it goes over: the padding before `fast` does not */
    int control, pause;
    unsigned char fast[sizeof(double)];
};

static const char image_spec[] = "#define HEIGHT 48\n"
                                 "struct image {\n"
                                 "    int written;\n"
                                 "    unsigned char data[64 * HEIGHT * 3];\n"
                                 "    int control, pause;\n"
                                 "    double fast;\n"
                                 "},reply=control+pause+fast";

enum { IMAGES = 30 };

static const struct shmh_options *with(int layout, const char *declared, const struct shmh_offsets *offsets)
{
    static struct shmh_options options;

    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.layout = layout;
    options.declared = declared;
    options.offsets = offsets;
    return &options;
}

static const struct shmh_options *image_by_offsets(void)
{
    static const struct shmh_span flag = SHMH_SPAN(struct image, written);
    static const struct shmh_span payload[] = {SHMH_SPAN(struct image, data)};
    static const struct shmh_span reply[] = {
        SHMH_SPAN(struct image, control),
        SHMH_SPAN(struct image, pause),
        SHMH_SPAN(struct image, fast),
    };
    static struct shmh_offsets offsets;

    offsets.size = sizeof offsets;
    offsets.flag = flag;
    offsets.kind = SHMH_DATA;
    offsets.payload = payload;
    offsets.payload_count = sizeof payload / sizeof payload[0];
    offsets.reply = reply;
    offsets.reply_count = sizeof reply / sizeof reply[0];
    offsets.segment_size = sizeof(struct image);
    return with(SHMH_DECLARED, NULL, &offsets);
}

static void says(struct shmh *channel, const char *spec)
{
    char said[200] = "", part[5] = "....";

    EXPECT(shmh_spec(channel, said, sizeof said) == strlen(spec), 1);
    if (strcmp(said, spec) != 0) {
        fprintf(stderr, "%s, and not %s\n", said, spec);
        exit(1);
    }
    EXPECT(shmh_spec(channel, part, sizeof part) == strlen(spec) && memcmp(part, spec, 4) == 0 && part[4] == 0, 1);
    EXPECT(shmh_spec(channel, NULL, 0) == strlen(spec), 1);
}

static void call(int key)
{
    struct shmh *writer = open_at(key, SHMH_WRITER, image_by_offsets());
    static unsigned char data[sizeof((struct image *)0)->data];
    struct answer answer;
    double fast;

    EXPECT(shmh_record_len(writer) == sizeof data && shmh_reply_len(writer) == sizeof answer, 1);
    EXPECT(shmh_await_reader(writer, -1), SHMH_OK);
    for (int image = 0; image < IMAGES; image++) {
        memset(data, image, sizeof data);
        EXPECT(shmh_call(writer, data, sizeof data, &answer, sizeof answer, -1), SHMH_OK);
        memcpy(&fast, answer.fast, sizeof fast);
        EXPECT(answer.control == 3 * image && answer.pause == -image && fast == image / 2.0, 1);
    }
    EXPECT(shmh_end(writer, -1), SHMH_OK);
    EXPECT(shmh_close(writer, -1), SHMH_OK);
}

static void answer(int key)
{
    struct shmh *reader = open_at(key, SHMH_READER, with(SHMH_DECLARED, image_spec, NULL));
    const void *bytes;
    size_t len;
    int peeked;

    for (int image = 0; (peeked = shmh_peek(reader, &bytes, &len, -1)) == SHMH_OK; image++) {
        struct answer answer = {3 * image, -image, {0}};
        double fast = image / 2.0;
        const unsigned char *data = (const unsigned char *)bytes;

        EXPECT(len == sizeof((struct image *)0)->data && data[0] == image && data[len - 1] == image, 1);
        memcpy(answer.fast, &fast, sizeof fast);
        EXPECT(shmh_reply(reader, &answer, sizeof answer), SHMH_OK);
        EXPECT(data[0] == image, 1);
        EXPECT(shmh_release(reader), SHMH_OK);
        FAILS(shmh_reply(reader, &answer, sizeof answer), SHMH_E_INVALID, EINVAL);
    }
    EXPECT(peeked, SHMH_ENDED);
    EXPECT((int)len, 0);
    EXPECT(shmh_release(reader), SHMH_ENDED);
    EXPECT(shmh_close(reader, -1), SHMH_OK);
}

/* Both sides here: one by the SPEC, one by offsets, and then one that takes what is there. */
static void text(int key)
{
    struct shared {
        char text[1024];
        signed char ready;
    };
    static const struct shmh_span flag = SHMH_SPAN(struct shared, ready), payload = SHMH_SPAN(struct shared, text);
    static const char spec[] = "struct { char text[1024]; signed char ready; },empty=-1,full=-2";
    struct shmh_offsets offsets;
    struct shmh *reader, *writer;
    char longest[1024], buffer[2048];
    size_t len;

    memset(&offsets, 0, sizeof offsets);
    offsets.size = sizeof offsets;
    offsets.flag = flag;
    offsets.empty = -1;
    offsets.full = -2;
    offsets.kind = SHMH_TEXT;
    offsets.payload = &payload;
    offsets.payload_count = 1;
    memset(longest, 'x', sizeof longest);
    reader = open_at(key, SHMH_READER, with(SHMH_DECLARED, NULL, &offsets));
    writer = open_at(key, SHMH_WRITER, with(SHMH_DECLARED, spec, NULL));
    says(reader, "flag=i8@1024,empty=-1,full=-2,text=1024@0,size=1025");
    says(writer, "flag=i8@1024,empty=-1,full=-2,text=1024@0,size=1025");
    EXPECT(shmh_record_len(reader) == 0 && shmh_reply_len(reader) == 0 && shmh_capacity(writer) == 1023, 1);
    EXPECT(shmh_send(writer, longest, 1023, -1), SHMH_OK);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, -1), SHMH_OK);
    EXPECT(len == 1023 && memcmp(buffer, longest, len) == 0, 1);
    FAILS(shmh_send(writer, longest, 1024, -1), SHMH_E_UNSENDABLE, EMSGSIZE);
    FAILS(shmh_call(writer, "x", 1, buffer, 8, -1), SHMH_E_INVALID, EINVAL);
    EXPECT(shmh_end(writer, -1), SHMH_OK);
    EXPECT(shmh_close(writer, -1), SHMH_OK);
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, -1), SHMH_ENDED);
    EXPECT(shmh_close(reader, -1), SHMH_OK);

    reader = open_at(key, SHMH_READER, with(SHMH_DECLARED, "text[60]", NULL));
    writer = open_at(key, SHMH_WRITER, with(SHMH_ANY, NULL, NULL));
    says(writer, "flag=i32@0,text=60@4,size=64");
    EXPECT(shmh_close(writer, -1), SHMH_OK);
    FAILS(shmh_open(&writer, key, SHMH_WRITER, with(SHMH_DECLARED, "text[60],full=2", NULL)), SHMH_E_NOT_A_CHANNEL,
          EPROTO);
    EXPECT(shmh_close(reader, -1), SHMH_OK);
    EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);

    writer = open_at(key, SHMH_WRITER, NULL);
    says(writer, "flag=i32@0,text=2048@4,size=2052");
    EXPECT(shmh_close(writer, -1), SHMH_OK);
    EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
}

/* Records around the flag, in a larger segment: it stays, for the rest of it is the program's. */
static void data(int key)
{
    struct sample {
        int mat[9], ready;
        double angle;
    };
    static const struct shmh_span flag = SHMH_SPAN(struct sample, ready);
    static const struct shmh_span payload[] = {SHMH_SPAN(struct sample, mat), SHMH_SPAN(struct sample, angle)};
    struct shmh_offsets offsets;
    struct shmh *reader, *writer;
    char record[44], received[44];
    size_t len;

    memset(&offsets, 0, sizeof offsets);
    offsets.size = sizeof offsets;
    offsets.flag = flag;
    offsets.kind = SHMH_DATA;
    offsets.payload = payload;
    offsets.payload_count = 2;
    offsets.segment_size = 16384;
    offsets.at_least = 1;
    offsets.at = 4096;
    for (size_t at = 0; at < sizeof record; at++)
        record[at] = (char)at;
    reader = open_at(key, SHMH_READER, with(SHMH_DECLARED, NULL, &offsets));
    writer = open_at(key, SHMH_WRITER,
                     with(SHMH_DECLARED, "struct { int mat[9], ready; double angle; },size>=16384,at=4096", NULL));
    says(writer, "flag=i32@36,data=36@0+8@40,size>=16384,at=4096");
    EXPECT(shmh_record_len(writer) == 44 && shmh_record_len(reader) == 44 && shmh_reply_len(reader) == 0, 1);
    FAILS(shmh_send(writer, record, 43, -1), SHMH_E_UNSENDABLE, EMSGSIZE);
    FAILS(shmh_send(writer, record, 45, -1), SHMH_E_UNSENDABLE, EMSGSIZE);
    EXPECT(shmh_send(writer, record, sizeof record, -1), SHMH_OK);
    FAILS(shmh_recv(reader, received, 43, &len, -1), SHMH_E_TOO_SMALL, ENOBUFS);
    EXPECT(shmh_recv(reader, received, sizeof received, &len, -1), SHMH_OK);
    EXPECT(len == sizeof record && memcmp(received, record, len) == 0, 1);
    EXPECT(shmh_end(writer, -1), SHMH_OK);
    EXPECT(shmh_close(writer, -1), SHMH_OK);
    EXPECT(shmh_recv(reader, received, sizeof received, &len, -1), SHMH_ENDED);
    EXPECT((int)len, 0);
    EXPECT(shmh_recv(reader, received, sizeof received, &len, -1), SHMH_ENDED);
    EXPECT(shmh_close(reader, -1), SHMH_OK);
    EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
}

/* What a header declares: its path, and behind a colon one of its structs. */
static void file(int key, const char *path)
{
    struct shmh *writer;
    char spec[4096];

    snprintf(spec, sizeof spec, "%s:shared_st,full=7", path);
    writer = open_at(key, SHMH_WRITER, with(SHMH_DECLARED, spec, NULL));
    says(writer, "flag=i32@0,full=7,text=512@4,size=516");
    EXPECT(shmh_close(writer, -1), SHMH_OK);
    EXPECT(shmctl(shmget(key, 0, 0), IPC_RMID, NULL), 0);
    snprintf(spec, sizeof spec, "%s:other", path);
    FAILS(shmh_open(&writer, key, SHMH_WRITER, with(SHMH_DECLARED, spec, NULL)), SHMH_E_INVALID, EINVAL);
    snprintf(spec, sizeof spec, "%s.not-there", path);
    FAILS(shmh_open(&writer, key, SHMH_WRITER, with(SHMH_DECLARED, spec, NULL)), SHMH_E_SYSTEM, ENOENT);
    EXPECT(strstr(shmh_error(), ".not-there") != NULL, 1);
}

int main(int argc, char **argv)
{
    int key = argc > 2 ? (int)strtoul(argv[1], NULL, 0) : 0;
    const char *what = argc > 2 ? argv[2] : "";

    if (strcmp(what, "call") == 0)
        call(key);
    else if (strcmp(what, "answer") == 0)
        answer(key);
    else if (strcmp(what, "text") == 0)
        text(key);
    else if (strcmp(what, "data") == 0)
        data(key);
    else if (strcmp(what, "file") == 0 && argc > 3)
        file(key, argv[3]);
    else
        return 2;
    return 0;
}
