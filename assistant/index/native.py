"""Calls into the native engine whose failures are reported in our words.

Edge raises plain `Exception` where it knows what is wrong, and panics where it does not; a panic also prints a trace of native
code on the error stream before Python hears of it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from typing import TypeVar

from assistant.errors import AssistantError

_Result = TypeVar("_Result")


class NativeFailure(AssistantError):
    """The engine could not do it; the message is its own, in one line."""


def native_call(work: Callable[[], _Result]) -> _Result:
    """What `work` returns, with the error stream held back meanwhile: given out afterwards, dropped when it was a panic.

    For opening only: it redirects the error stream of the whole process. Raises NativeFailure.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        stream = os.dup(2)
        os.dup2(held.fileno(), 2)
        panicked = False
        try:
            return work()
        except Exception as error:
            raise NativeFailure(_one_line(error)) from error
        except BaseException as error:
            panicked = type(error).__name__ == "PanicException"
            if not panicked:
                raise
            raise NativeFailure(f"internal failure: {_one_line(error)}") from error
        finally:
            os.dup2(stream, 2)
            os.close(stream)
            if not panicked:
                held.seek(0)
                os.write(2, held.read())


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
