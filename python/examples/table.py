"""Records of a struct become a table of pandas, which this program needs: pip install pandas.

    python table.py [KEY]
"""

import sys
import threading

import numpy as np
import pandas as pd

import shm_handoff

STRUCT = "struct { int ready; int sensor; float celsius; double when; }"


def measure(key: int) -> None:
    with shm_handoff.Writer(key, layout=STRUCT) as writer:
        for number in range(6):
            writer.send(np.array([(number % 3, 20 + number / 4, number)], writer.dtype))


def main(key: int) -> pd.DataFrame:
    # A thread here, and a program in C elsewhere.
    measuring = threading.Thread(target=measure, args=(key,))
    measuring.start()
    with shm_handoff.Reader(key, layout=STRUCT) as reader:
        records = np.frombuffer(b"".join(reader), reader.dtype)
    measuring.join()
    return pd.DataFrame(records)


if __name__ == "__main__":
    table = main(int(sys.argv[1], 0) if len(sys.argv) > 1 else 0x7E)
    print(table)
    print(table.groupby("sensor")["celsius"].mean())
