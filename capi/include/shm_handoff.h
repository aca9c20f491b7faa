/*
 * shm-handoff: messages from one process to another through System V shared memory, by a
 * protocol whose memory orders are model-checked.
 *
 * One process opens a key as the writer, another one as the reader; either may come first, and
 * either may be a program of the well-known C tutorial (SHMH_SLOT), or shmread and shmwrite.
 *
 * Results: SHMH_OK, SHMH_ENDED, or a negative SHMH_E_...; then errno is set too, and
 * shmh_error() says in words what failed, on what, and what to do next.
 *
 * Threads: a handle is used by one thread at a time, whichever; two handles have nothing to do
 * with each other. shmh_interrupt() alone may be called at any time, by any thread and by
 * signal handlers. Signals: a wait goes on after a signal handler has returned; a handler that
 * wants it to end calls shmh_interrupt(). No signal is caught, blocked or sent.
 *
 * fork: a handle belongs to the process that opened it, and so does the memory. In a child every
 * call with it is SHMH_E_CLOSED and changes nothing, however the child ends; it may exec, or open
 * a handle of its own. A process that ends without shmh_close() counts as one that died.
 *
 * exec: close first. The kernel lets a process keep its seat over exec: until the new program
 * ends, the peer takes it for the old one, which sends and receives nothing any more.
 *
 * A NULL handle, one that was closed (until 64 more were closed), or one of the other role is
 * an error and nothing worse; so is whatever the other process writes into the memory.
 *
 * This file is made from capi/src/lib.rs.
 */

#ifndef SHM_HANDOFF_H
#define SHM_HANDOFF_H

#include <stddef.h>
#include <stdint.h>

// The version of this header, 10000 * major + 100 * minor + patch: a number to compare, also in an #if. `shmh_version()` is that of
// the library which the program runs with.
#define SHMH_VERSION (10000 * SHMH_VERSION_MAJOR + 100 * SHMH_VERSION_MINOR + SHMH_VERSION_PATCH)
#define SHMH_VERSION_MAJOR 0
#define SHMH_VERSION_MINOR 1
#define SHMH_VERSION_PATCH 0
#define SHMH_VERSION_STRING "0.1.0"

// Initialises a struct shmh_span with that of a member: struct shmh_span text = SHMH_SPAN(struct shared, text);
#define SHMH_SPAN(type, member) {offsetof(type, member), sizeof(((type *)0)->member)}

// The role of `shmh_open` that puts messages in.
#define SHMH_WRITER 1

// The role of `shmh_open` that takes messages out.
#define SHMH_READER 2

// One C string, by the rules of the tutorial.
#define SHMH_TEXT 1

// Records of one length, of any bytes.
#define SHMH_DATA 2

// The most spans of a payload, or of a reply.
#define SHMH_MOST_SPANS 1024

// Whatever is at the key; where nothing is, a classic slot.
#define SHMH_ANY 0

// The tutorial's slot: `struct { int written; char text[2048]; }`.
#define SHMH_SLOT 1

// A ring: any bytes, much faster, and no C program of the tutorial on the other side.
#define SHMH_RING 2

// A slot in a struct of the program's own: `declared` or `offsets` says where its flag and its payload lie.
#define SHMH_DECLARED 3

// Done.
#define SHMH_OK 0

// The session has ended: the message is its end, or it was met before.
#define SHMH_ENDED 1

// Invalid argument: a null pointer, an unknown role or layout, a declaration that can't be read, or key 0. EINVAL
#define SHMH_E_INVALID -1

// The handle was closed, or it is that of the process which forked this one. EBADF
#define SHMH_E_CLOSED -2

// A reader's handle where a writer's is needed, or the other way round. EPERM
#define SHMH_E_WRONG_ROLE -3

// The time to wait has passed. ETIMEDOUT; EAGAIN where it was 0
#define SHMH_E_TIMED_OUT -4

// `shmh_interrupt` was called. EINTR
#define SHMH_E_INTERRUPTED -5

// The peer that was there died; for a writer also: it left. EPIPE
#define SHMH_E_PEER_GONE -6

// The message can't be carried: too long, of another length than a declared record; or, in a text, with a NUL, or
// beginning with `end` without being `end` alone. EMSGSIZE
#define SHMH_E_UNSENDABLE -7

// The buffer is too small; the message stays. ENOBUFS
#define SHMH_E_TOO_SMALL -8

// Another process has the role. EBUSY
#define SHMH_E_ROLE_TAKEN -9

// What is at the key is no channel, or of another layout or schema. EPROTO
#define SHMH_E_NOT_A_CHANNEL -10

// It belongs to another user, or the kernel refuses access. EACCES
#define SHMH_E_PERMISSION -11

// A limit of the kernel is reached. ENOSPC
#define SHMH_E_LIMIT -12

// The ring's content breaks its layout: a peer has broken the protocol. EBADMSG
#define SHMH_E_CORRUPT -13

// A system call failed, with this errno.
#define SHMH_E_SYSTEM -14

// A bug in this library: please report it. EFAULT
#define SHMH_E_INTERNAL -15

// One end of a channel.
typedef struct shmh shmh;

// A range of bytes, counted from the beginning of the struct: `SHMH_SPAN(struct shared, text)` is that of a member.
typedef struct shmh_span {
    // `offsetof` its first byte.
    size_t offset;
    // `sizeof` it: 1 at least.
    size_t len;
} shmh_span;

// Where the flag and the payload of a struct lie. Begin with all zero, and `size`.
typedef struct shmh_offsets {
    // `sizeof(struct shmh_offsets)`: a later version may have more at its end.
    size_t size;
    // An integer of 4 bytes or of 1.
    struct shmh_span flag;
    // At this value of the flag the writer may write.
    long long empty;
    // This value a writer of ours publishes; a reader takes any but `empty` for it. If both are 0, it is 1.
    long long full;
    // `SHMH_TEXT` or `SHMH_DATA`.
    int kind;
    // What is handed over: one span of a text, one or more of data.
    const struct shmh_span *payload;
    // How many spans: at most `SHMH_MOST_SPANS`.
    size_t payload_count;
    // What the reader may write before it releases; NULL: nothing. It may lie within the payload.
    const struct shmh_span *reply;
    // How many spans: at most `SHMH_MOST_SPANS`.
    size_t reply_count;
    // Bytes of the segment, as they were given to `shmget`: `sizeof` the struct, or more. 0: where the last span ends.
    size_t segment_size;
    // Not 0: a larger segment will do, too.
    int at_least;
    // Where in the segment the struct begins.
    size_t at;
} shmh_offsets;

// What `shmh_open` can be told. Begin with all zero, and `size`.
typedef struct shmh_options {
    // `sizeof(struct shmh_options)`: a later version may have more at its end.
    size_t size;
    // `SHMH_ANY`, `SHMH_SLOT`, `SHMH_RING` or `SHMH_DECLARED`.
    int layout;
    // Permission bits of what has to be made; 0: 0600.
    unsigned int mode;
    // Bytes of a ring, a power of two from 64 KiB to 1 GiB; 0: those of the ring that is there, or 2 MiB.
    size_t capacity;
    // Not 0: accept what belongs to another user.
    int trust_owner;
    // For `SHMH_DECLARED`, a SPEC: `text[1024]`, a C declaration as the program has it, `FILE.h`, `FILE.h:NAME`, or
    // the terse form, each with terms behind a comma. NULL: `offsets` says it. docs/layouts.md has it all.
    const char *declared;
    // For `SHMH_DECLARED`, the same by `offsetof` and `sizeof`. NULL: `declared` says it.
    const struct shmh_offsets *offsets;
    // For a ring, what its messages are: a number that both sides work out in the same way, such as by `shmh_schema`. The
    // side that makes the ring writes it down, and a side with another one is `SHMH_E_NOT_A_CHANNEL`. 0: any.
    uint64_t schema;
} shmh_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Opens `key` as `role` (`SHMH_WRITER` or `SHMH_READER`), and makes what is missing there. Does not wait for
// the other side. `options`: NULL for whatever is there, or a classic slot made with mode 0600.
//
// A layout that is none is `SHMH_E_INVALID`; `shmh_error()` shows the place in the SPEC, in several lines.
//
// Returns `SHMH_OK` with a handle in `*out`, or an error with NULL in it: `SHMH_E_INVALID`, `SHMH_E_ROLE_TAKEN`,
// `SHMH_E_NOT_A_CHANNEL`, `SHMH_E_PERMISSION`, `SHMH_E_LIMIT`, `SHMH_E_CORRUPT`, `SHMH_E_SYSTEM`.
//
// The caller's part:
// `out` is NULL or can be written, `options` is NULL or can be read, and so can what it points to: a SPEC up to its NUL,
// as many spans as their number says.
int shmh_open(struct shmh **out, int key, int role, const struct shmh_options *options);

// Sends `len` bytes, and waits for room for `timeout_ms` at most (negative: forever; 0: not at all). In a slot
// it waits for a reader, too. A message that is `end` alone ends the session in a slot with a text; a record of declared
// data has `shmh_record_len()` bytes, any bytes.
//
// Returns `SHMH_OK`: it was sent. Else it was not: `SHMH_E_INVALID`, `SHMH_E_CLOSED`, `SHMH_E_WRONG_ROLE`,
// `SHMH_E_TIMED_OUT`, `SHMH_E_INTERRUPTED`, `SHMH_E_PEER_GONE`, `SHMH_E_UNSENDABLE`, `SHMH_E_ROLE_TAKEN` (the
// seats were removed, and another writer was faster), `SHMH_E_CORRUPT`, or as `shmh_open`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `bytes` can be read for `len` bytes.
int shmh_send(struct shmh *handle, const void *bytes, size_t len, int timeout_ms);

// Sends a request, waits until the reader has released it, and copies what the reader answered to `answer`, which has
// exactly `shmh_reply_len()` bytes. Waits as `shmh_send` does. A reader that does not answer leaves what lay
// there. After `SHMH_E_TIMED_OUT` or `SHMH_E_INTERRUPTED` the request can have been sent: the next call waits for that one
// first, drops its answer, and sends a request of its own. So this is no function for an event loop, where each call would send
// one more request and receive no answer: call it in a thread, with a `timeout_ms` that is long enough.
//
// Returns as `shmh_send`. `SHMH_E_INVALID`: also an answer of another length, or in a layout that has none.
// `SHMH_E_PEER_GONE` can mean that the request was sent, and not answered.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `request` can be read for `len` bytes, and
// `answer` can be written for `answer_len` bytes.
int shmh_call(struct shmh *handle, const void *request, size_t len, void *answer, size_t answer_len, int timeout_ms);

// Ends the session, waiting as `shmh_send` does: by a message `end` in a slot with a text, by a record of its own in a ring,
// and beside declared data when the last record was released, if a reader of ours is there. The reader removes the
// segment, unless it has more than the declared struct.
//
// Returns as `shmh_send`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
int shmh_end(struct shmh *handle, int timeout_ms);

// Receives a message into `buffer` of `size` bytes and releases it; `*len` is its length (`len` may be NULL). No NUL
// is put behind it. Waits as `shmh_send` does.
//
// Returns `SHMH_OK`; `SHMH_ENDED` for the message that ends the session (in a classic slot its text is in `buffer`, too), when
// the segment was removed, and from then on; or an error, and nothing is released: `SHMH_E_INVALID`,
// `SHMH_E_CLOSED`, `SHMH_E_WRONG_ROLE`, `SHMH_E_TIMED_OUT`, `SHMH_E_INTERRUPTED`, `SHMH_E_PEER_GONE` (the writer died; what it
// had sent came before), `SHMH_E_TOO_SMALL`, `SHMH_E_ROLE_TAKEN`, `SHMH_E_CORRUPT`, or as `shmh_open`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `buffer` can be written for `size` bytes, and
// `len` is NULL or can be written.
int shmh_recv(struct shmh *handle, void *buffer, size_t size, size_t *len, int timeout_ms);

// Waits for a message as `shmh_send` waits, and lets it be peeked at: `*bytes` and `*len` are valid until the next call
// with this handle, `shmh_reply` aside. The writer can't change them. It is not released: if this reader dies, the next one gets it.
//
// Returns `SHMH_OK`; `SHMH_ENDED` for the message that ends the session; or an error as `shmh_recv`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `bytes` and `len` are NULL or can be written.
int shmh_peek(struct shmh *handle, const void **bytes, size_t *len, int timeout_ms);

// Answers the message that was peeked at, with exactly `shmh_reply_len()` bytes. The writer sees the answer when the message is
// released, and no part of it before.
//
// Returns `SHMH_OK`; `SHMH_E_INVALID`, also for an answer of another length, in a layout that has none, or where no
// message was peeked at; `SHMH_E_CLOSED` or `SHMH_E_WRONG_ROLE`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `bytes` can be read for `len` bytes.
int shmh_reply(struct shmh *handle, const void *bytes, size_t len);

// Releases the message that was peeked at: its space is the writer's again. After `SHMH_ENDED` it removes the segment
// instead, and the session is over.
//
// Returns `SHMH_OK`, also where there is nothing to release; `SHMH_ENDED`: the session is over; or `SHMH_E_INVALID`,
// `SHMH_E_CLOSED`, `SHMH_E_WRONG_ROLE`, and for the removal as `shmh_open`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
int shmh_release(struct shmh *handle);

// For a reader, after `SHMH_E_PEER_GONE`: goes on, and waits for the next writer.
//
// Returns `SHMH_OK`, `SHMH_E_INVALID`, `SHMH_E_CLOSED`, `SHMH_E_WRONG_ROLE`, or as `shmh_open`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
int shmh_await_next_writer(struct shmh *handle);

// For a writer: waits until a reader is there, for `timeout_ms` at most (negative: forever; 0: not at all). After
// `SHMH_E_PEER_GONE` it waits for the next one, and the writer can go on; before the first message it is a way to hold
// back what nobody would take yet.
//
// Returns `SHMH_OK`: one is there; or as `shmh_send`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
int shmh_await_reader(struct shmh *handle, int timeout_ms);

// Checks whether somebody removed the segment or the seats, and recovers from that. Call this every few milliseconds while idle,
// and also in a loop that never has to wait: sending and receiving without waiting makes
// no system call. A writer sends again what nobody had taken.
//
// Returns `SHMH_OK`, or as `shmh_send`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
int shmh_recover(struct shmh *handle, int timeout_ms);

// The longest message, in bytes; 0 for a handle that is none.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
size_t shmh_capacity(struct shmh *handle);

// How many bytes each record has, where data was declared; 0: messages have lengths of their own.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
size_t shmh_record_len(struct shmh *handle);

// How many bytes an answer has; 0: the layout has none.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
size_t shmh_reply_len(struct shmh *handle);

// Writes where flag and payload lie, as a SPEC in its terse form: that of a classic slot is
// `flag=i32@0,text=2048@4,size=2052`. As `snprintf` does, it writes no more than `size` bytes, a NUL among them, and returns
// the length of the whole, without the NUL; 0: it is a ring, or the handle is none. `buffer` may be NULL if `size` is 0.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it; `buffer` can be written for `size` bytes.
size_t shmh_spec(struct shmh *handle, char *buffer, size_t size);

// The descriptor of the handle, to wait for with `poll`, `epoll` or an event loop. It is readable (`POLLIN`) while a function
// with a `timeout_ms` of 0 has something to do, and not otherwise: it is level-triggered. A reader has something to do when a
// message or the end of the session is there, or the writer has died; a writer, when there is room, or the reader has gone. A
// peer's death shows within 0.1 s.
//
// A message that was peeked at keeps the descriptor readable until `shmh_release`, and an end until `shmh_close`. For a
// writer, room is room for the message that `shmh_send` had none for. Where `shmh_await_reader` has found no reader,
// the descriptor is readable when one is there. After `shmh_end` it is readable, until the next message is sent or `shmh_send` has
// found no room for it. `shmh_call` is not for this: see there.
//
// The first call makes the descriptor and starts a thread, which waits in the handle's place while no function runs with
// it. From then on every function works as before, and costs more. The descriptor belongs to the handle, and `shmh_close` closes
// it; it is only to be waited for, not read, written or closed.
//
// Returns the descriptor, 0 or more; or `SHMH_E_INVALID`, `SHMH_E_CLOSED`, `SHMH_E_SYSTEM`.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
int shmh_fd(struct shmh *handle);

// Ends the wait that goes on with this handle, or the next one, with `SHMH_E_INTERRUPTED`, within 0.1 s. May be called by
// any thread and by signal handlers.
//
// Returns `SHMH_OK`; or, and then errno stays as it is, `SHMH_E_INVALID` for NULL, or `SHMH_E_CLOSED` in a child for a handle
// of its parent's.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`.
int shmh_interrupt(struct shmh *handle);

// Closes the handle, whatever it returns. A writer leaves in order: first it makes sure, for `timeout_ms` at most (negative: as
// long as it takes), that nothing lies in a segment that was removed; the reader waits for the next writer. Where the
// kernel removes a segment with its last attachment (`kernel.shm_rmid_forced` is 1), the writer also waits, within the same
// time, until all that it sent was received: with a negative `timeout_ms` without limit, also for a reader that is still to
// come. A message that was peeked at and not released stays for the next reader. NULL is `SHMH_OK`.
//
// Returns `SHMH_OK`; `SHMH_E_CLOSED`; or for what a writer had sent and can't be sure of, as `shmh_send`: then the reader takes
// it for one that failed.
//
// The caller's part:
// `handle` is NULL or came from `shmh_open`, and no other thread uses it.
int shmh_close(struct shmh *handle, int timeout_ms);

// What a code means, in a few words; never NULL.
const char *shmh_strerror(int code);

// What failed last in this thread, on what, and what to do next; an empty text if nothing has. Valid until the next
// call in this thread that fails.
const char *shmh_error(void);

// The schema of a type, for `struct shmh_options`: its text's bytes by FNV-1a of 64 bits. The text of a struct is
// `NAME/SIZE{FIELD:TYPE@OFFSET,...}` without blanks, with the types as Rust calls them: then it is the number that
// `shm_handoff::schema!` gives in Rust. For `struct tick { uint64_t time; double bid, ask; }` that is
// `Tick/24{time:u64@0,bid:f64@8,ask:f64@16}`. Any other text will do where both sides give the same.
//
// Never 0, but for NULL.
//
// The caller's part:
// `text` is NULL or ends with a NUL.
uint64_t shmh_schema(const char *text);

// The version of the library that the program runs with, counted as `SHMH_VERSION` is. It can be another one than that of the
// header which the program was compiled with.
int shmh_version(void);

// The same as a text, such as `SHMH_VERSION_STRING`; never NULL.
const char *shmh_version_string(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SHM_HANDOFF_H */
