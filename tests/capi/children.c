/* What becomes of handles in children, and over exec. Usage: children KEY [PROGRAM ARGUMENT...]
 *
 * With a program it opens a reader and is replaced by that one. */
#include "expect.h"
#include <signal.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WHILE_MS = 300 };

static int key;
static struct shmh *inherited;

static int attached(void)
{
    struct shmid_ds stat;

    EXPECT(shmctl(shmget(key, 0, 0), IPC_STAT, &stat) == 0, 1);
    return (int)stat.shm_nattch;
}

/* Each call says so, and the process survives it. */
static void all_refuse(struct shmh *handle)
{
    const void *text;
    size_t len;
    char buffer[8];

    FAILS(shmh_send(handle, "x", 1, -1), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_end(handle, -1), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_recv(handle, buffer, sizeof buffer, &len, -1), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_peek(handle, &text, &len, -1), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_release(handle), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_await_reader(handle, -1), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_await_next_writer(handle), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_recover(handle, -1), SHMH_E_CLOSED, EBADF);
    FAILS(shmh_fd(handle), SHMH_E_CLOSED, EBADF);
    EXPECT(shmh_interrupt(handle), SHMH_E_CLOSED);
    EXPECT((int)shmh_capacity(handle), 0);
    FAILS(shmh_close(handle, -1), SHMH_E_CLOSED, EBADF);
    EXPECT(strstr(shmh_error(), "parent") != NULL, 1);
}

static void close_at_exit(void)
{
    if (inherited != NULL && shmh_close(inherited, -1) != SHMH_E_CLOSED)
        _exit(2);
}

static void with_exit_handlers(void)
{
    exit(0);
}

static void without(void)
{
    _exit(0);
}

static void by_exec(void)
{
    execlp("true", "true", (char *)NULL);
}

static void by_abort(void)
{
    signal(SIGABRT, SIG_DFL);
    abort();
}

/* Without what the C library does at a fork. */
static pid_t fork_by_the_kernel(void)
{
#ifdef SYS_fork
    return (pid_t)syscall(SYS_fork);
#else
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
}

static pid_t (*forks)(void) = fork;

/* A child that has tried `handle`, and ends so once `go` is closed. */
static pid_t start_child(struct shmh *handle, void (*ends)(void), int *go)
{
    int ready[2], wait[2];
    char byte;
    pid_t child;

    EXPECT(pipe(ready) == 0 && pipe(wait) == 0, 1);
    child = forks();
    if (child == 0) {
        close(ready[0]);
        close(wait[1]);
        all_refuse(handle);
        EXPECT(write(ready[1], "x", 1) == 1 && read(wait[0], &byte, 1) == 0, 1);
        ends();
        _exit(3);
    }
    close(ready[1]);
    close(wait[0]);
    EXPECT((int)read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *go = wait[1];
    return child;
}

static void end_child(pid_t child, int go, int expected)
{
    int status = 0;

    close(go);
    EXPECT(waitpid(child, &status, 0) == child, 1);
    EXPECT(status, expected);
}

/* The parent keeps its memory and its seat, however the child ends; also where a thread waits in the place of the handle. */
static void every_end(const struct shmh_options *options, int with_descriptor)
{
    static const struct {
        void (*ends)(void);
        int status;
    } WAYS[] = {{with_exit_handlers, 0}, {without, 0}, {by_exec, 0}, {by_abort, SIGABRT}};
    static const char *const TAKEN[] = {"", "another writer is attached", "another reader is attached"};

    for (int role = SHMH_WRITER; role <= SHMH_READER; role++)
        for (size_t way = 0; way < sizeof WAYS / sizeof *WAYS; way++) {
            struct shmh *second;
            int go;
            pid_t child;

            inherited = open_at(key, role, options);
            EXPECT(!with_descriptor || shmh_fd(inherited) >= 0, 1);
            child = start_child(inherited, WAYS[way].ends, &go);
            EXPECT(attached(), 1);
            end_child(child, go, WAYS[way].status);
            EXPECT(attached(), 1);
            EXPECT(shmh_recover(inherited, 0), SHMH_OK);
            FAILS(shmh_open(&second, key, role, NULL), SHMH_E_ROLE_TAKEN, EBUSY);
            EXPECT(strstr(shmh_error(), TAKEN[role]) != NULL, 1);
            EXPECT(shmh_close(inherited, 0), SHMH_OK);
            inherited = NULL;
        }
}

/* A child is no C program: nobody sees one come, or go. */
static void no_peer_is_seen(void)
{
    struct shmh *handle = open_at(key, SHMH_READER, NULL);
    char buffer[2048];
    int go;
    pid_t child = start_child(handle, without, &go);

    FAILS(shmh_recv(handle, buffer, sizeof buffer, NULL, WHILE_MS), SHMH_E_TIMED_OUT, ETIMEDOUT);
    end_child(child, go, 0);
    FAILS(shmh_recv(handle, buffer, sizeof buffer, NULL, WHILE_MS), SHMH_E_TIMED_OUT, ETIMEDOUT);
    EXPECT(shmh_close(handle, 0), SHMH_OK);

    handle = open_at(key, SHMH_WRITER, NULL);
    child = start_child(handle, without, &go);
    FAILS(shmh_send(handle, "x", 1, WHILE_MS), SHMH_E_TIMED_OUT, ETIMEDOUT);
    end_child(child, go, 0);
    EXPECT(shmh_close(handle, 0), SHMH_OK);
}

/* A child's own handle is as good as any, and none of its children's. */
static void a_child_opens_its_own(const struct shmh_options *options)
{
    struct shmh *reader = open_at(key, SHMH_READER, options);
    char buffer[2048];
    size_t len;
    pid_t child = fork();

    if (child == 0) {
        struct shmh *own = open_at(key, SHMH_WRITER, options);
        int go;
        pid_t grandchild = start_child(own, with_exit_handlers, &go);

        end_child(grandchild, go, 0);
        all_refuse(reader);
        EXPECT(shmh_send(own, "mine", 4, -1), SHMH_OK);
        EXPECT(shmh_close(own, -1), SHMH_OK);
        exit(0);
    }
    EXPECT(shmh_recv(reader, buffer, sizeof buffer, &len, -1), SHMH_OK);
    EXPECT(len == 4 && memcmp(buffer, "mine", 4) == 0, 1);
    end_child(child, -1, 0);
    EXPECT(shmh_close(reader, 0), SHMH_OK);
}

int main(int argc, char **argv)
{
    struct shmh_options ring;

    key = argc > 1 ? (int)strtoul(argv[1], NULL, 0) : 0;
    if (argc > 2) {
        open_at(key, SHMH_READER, NULL);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        return EXIT_FAILURE;
    }
    atexit(close_at_exit);
    every_end(NULL, 0);
    every_end(NULL, 1);
    no_peer_is_seen();
    a_child_opens_its_own(NULL);
    shmctl(shmget(key, 0, 0), IPC_RMID, NULL);

    memset(&ring, 0, sizeof ring);
    ring.size = sizeof ring;
    ring.layout = SHMH_RING;
    ring.capacity = 64 << 10;
    every_end(&ring, 0);
    every_end(&ring, 1);
    forks = fork_by_the_kernel;
    every_end(&ring, 0);
    every_end(&ring, 1);
    a_child_opens_its_own(&ring);
    puts("no child has a part in it");
    return EXIT_SUCCESS;
}
