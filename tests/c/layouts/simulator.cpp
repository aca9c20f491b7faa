// Either side of a driving simulator: the simulator shows images, and the program that drives
// answers each of them with commands before it zeroes the flag.
//
// Usage: simulator produce KEY FIRST LAST [HOW]: images of these numbers, then the segment is removed
//        simulator consume KEY LAST [HOW]: answers images, and leaves after this one
// HOW has `unanswered` in it: the other side has no commands; `stop`: to be killed, either stops where it
// hurts most, the producer with half of the last image painted, the consumer with its line printed and
// no answer given.
//
// The number of an image decides all that goes with it, so that either side sees one that is torn.
#include "segment.h"
#include "simulator.h"
#include <csignal>
#include <cstdint>
#include <string>

static const size_t SIZE = sizeof(shared::data);

// No byte of an image is that of the one before or after.
static uint8_t pixel(int number, size_t at)
{
    return static_cast<uint8_t>((at + static_cast<size_t>(number) * 37) % 251);
}

static void paint(shared &memory, int number)
{
    for (size_t at = 0; at < SIZE; at++)
        memory.data[at] = pixel(number, at);
    memory.fast = number;
    memory.angle = number * -0.25;
    memory.to_middle = number * 0.5;
}

static bool is_whole(const shared &memory, int number)
{
    for (size_t at = 0; at < SIZE; at++)
        if (memory.data[at] != pixel(number, at))
            return false;
    return memory.fast == number && memory.angle == number * -0.25 && memory.to_middle == number * 0.5;
}

static void command(shared &memory, int number)
{
    memory.control = number;
    memory.pause = number ^ 0x5a5a;
    memory.steer = number / 4.0;
    memory.throttle = number / -8.0;
    memory.brake = memory.control + memory.pause + memory.steer + memory.throttle; // the check value
}

static bool answers(const shared &memory, int number)
{
    shared expected;
    command(expected, number);
    return memory.control == expected.control && memory.pause == expected.pause && memory.steer == expected.steer
        && memory.throttle == expected.throttle && memory.brake == expected.brake;
}

static bool has(const std::string &how, const char *word)
{
    return how.find(word) != std::string::npos;
}

static int torn(const char *what, int number)
{
    fprintf(stderr, "torn: the %s %d\n", what, number);
    return EXIT_FAILURE;
}

static int produce(shared &memory, int first, int last, const std::string &how)
{
    await_flag(memory.written, 0);
    for (int number = first; number <= last; number++) {
        if (has(how, "stop") && number == last) {
            memset(memory.data, number, SIZE / 2);
            raise(SIGSTOP);
        }
        paint(memory, number);
        set_flag(memory.written, 1);
        await_flag(memory.written, 0);
        if (!has(how, "unanswered") && !answers(memory, number))
            return torn("commands for", number);
        printf("answer %d\n", number);
        fflush(stdout);
    }
    remove_segment();
    return EXIT_SUCCESS;
}

static int consume(shared &memory, int last, const std::string &how)
{
    for (int number = 0; number < last;) {
        await_flag(memory.written, 1);
        number = static_cast<int>(memory.fast);
        if (!is_whole(memory, number))
            return torn("image", number);
        printf("image %d\n", number);
        fflush(stdout);
        if (has(how, "stop") && number == last)
            raise(SIGSTOP);
        command(memory, number);
        set_flag(memory.written, 0);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    const bool produces = argc > 1 && std::string(argv[1]) == "produce";
    const int numbers = produces ? 2 : 1;
    if (argc < 3 + numbers) {
        fprintf(stderr, "usage: %s produce KEY FIRST LAST [HOW], or consume KEY LAST [HOW]\n", argv[0]);
        return EXIT_FAILURE;
    }
    const std::string how = argc > 3 + numbers ? argv[3 + numbers] : "";
    int is_new;
    shared &memory = *static_cast<shared *>(attach(argv[2], sizeof(shared), &is_new));
    say_attached();
    if (produces)
        return produce(memory, atoi(argv[3]), atoi(argv[4]), how);
    return consume(memory, atoi(argv[3]), how);
}
