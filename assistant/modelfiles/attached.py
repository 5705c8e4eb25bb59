"""Becomes another program that ends when the process that started it ends, however that ends.

    python attached.py PARENT PROGRAM ARGUMENT…

Imports nothing but the standard library, and is run by its path. On Linux the kernel sends SIGTERM when the parent is gone; where
there is nothing like it, the parent has to stop the program itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, program: list[str]) -> None:
    """Tie this process to its parent, then become `program`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
        if os.getppid() != parent:  # it ended before it was asked to tell
            sys.exit(1)
    os.execvp(program[0], program)  # noqa: S606 - no shell is meant


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
