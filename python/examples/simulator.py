"""A driving simulator: one side shows images, the other side answers each of them with commands.

The struct is that of the C++ and Python programs that drive such simulators: the program that drives writes its commands
back before it zeroes the flag. Either side may be one of them, unchanged.

    python simulator.py drive [KEY]
    python simulator.py show  [KEY] [IMAGES]
"""

import sys

import numpy as np

import shm_handoff

STRUCT = """
    struct shared {
        int written;                     // 1: there is an image; 0: there are commands
        uint8_t data[640 * 480 * 3];
        int control, pause;              // commands
        double fast;                     // from the simulator, with the image
        double angle, to_middle;
        double steer, throttle, brake;   // commands
    };,reply=control+pause+steer+throttle+brake"""


def drive(key: int) -> None:
    with shm_handoff.Reader(key, layout=STRUCT) as reader:
        commands = np.zeros(1, reader.reply_dtype)
        while True:
            try:
                message = reader.peek()
            except shm_handoff.PeerGone:
                return  # a program in C++ has no other way to say that it was the last image
            with message:
                if message.ends_session:
                    return
                shown = np.frombuffer(memoryview(message), reader.dtype)[0]
                image = shown["data"].reshape(480, 640, 3)
                commands["control"] = 1
                # Towards the middle; and slower where the road ahead is dark.
                commands["steer"] = -0.5 * shown["to_middle"]
                commands["throttle"] = image[:240].mean() / 255
                message.reply(commands)


def show(key: int, images: int) -> None:
    with shm_handoff.Writer(key, layout=STRUCT) as writer:
        shown = np.zeros(1, writer.dtype)
        for number in range(images):
            shown["data"] = number % 256
            shown["to_middle"] = number / 10
            commands = np.frombuffer(writer.call(shown), writer.reply_dtype)[0]
            print(f"image {number}: steer {commands['steer']:.2f}, throttle {commands['throttle']:.3f}")


def main(side: str = "", key: str = "4567", images: str = "3") -> None:
    if side == "drive":
        drive(int(key, 0))
    elif side == "show":
        show(int(key, 0), int(images))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
