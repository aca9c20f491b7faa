/*
 * Preloaded into a program: its standard input and output answer as files may that do not
 * behave. ODD_READ says what each `read` of the input does, ODD_WRITE each `write` to the
 * output: a number is how many bytes it takes at most, and AGAIN, INTR, RESET and NOSPC are
 * errors. Blanks separate the words; behind the last one all is as usual.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    int number;
} errors[] = { { "AGAIN", EAGAIN }, { "INTR", EINTR }, { "RESET", ECONNRESET }, { "NOSPC", ENOSPC } };

/* The next word's doing: an errno, or 0 with the most bytes in *len. */
static int next(const char **words, const char *variable, size_t *len)
{
    size_t word, most;
    char *end;

    if (*words == NULL) {
        *words = getenv(variable);
        if (*words == NULL)
            *words = "";
    }
    *words += strspn(*words, " ");
    word = strcspn(*words, " ");
    if (word == 0)
        return 0;
    for (size_t at = 0; at < sizeof errors / sizeof *errors; at++)
        if (strlen(errors[at].name) == word && memcmp(*words, errors[at].name, word) == 0) {
            *words += word;
            return errors[at].number;
        }
    most = strtoul(*words, &end, 10);
    if (end != *words + word)
        abort(); /* no such word */
    *words = end;
    if (*len > most)
        *len = most;
    return 0;
}

ssize_t read(int fd, void *bytes, size_t len)
{
    static const char *words;
    int number = fd == 0 ? next(&words, "ODD_READ", &len) : 0;

    if (number != 0) {
        errno = number;
        return -1;
    }
    return syscall(SYS_read, fd, bytes, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    static const char *words;
    int number = fd == 1 ? next(&words, "ODD_WRITE", &len) : 0;

    if (number != 0) {
        errno = number;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, len);
}
