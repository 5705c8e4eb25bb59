"""A stream of the OpenAI protocol, checked event by event before any library reads it.

The openai client takes a stream without an end for a whole answer, an HTML page for an empty one, and half a character for
a Python error. Here a stream is text and a reason for its end, or an EndpointFailure.
"""

from __future__ import annotations

import json
from typing import Any

from assistant.endpoints.cleaning import Cleaner
from assistant.endpoints.exchange import Ended, EndpointFailure, Fault
from assistant.endpoints.watching import Watch

_OTHER_FIELDS = (b"event", b"id", b"retry")
_PAIRS = 4
"""So many different words in a row, each of them twice, are a stream that is sent twice. Natural text has no such run."""


class StreamCheck:
    """What has come of one answer. `models` are the names under which the endpoint may answer."""

    def __init__(self, models: frozenset[str], watch: Watch) -> None:
        self._models = models
        self._watch = watch
        self._cleaner = Cleaner()
        self._repeats = _Repeats()
        self._buffer = b""
        self._data: list[bytes] = []
        self._said_something = False
        self.finish = ""
        """The `finish_reason`; empty until there is one."""
        self.done = False
        """`[DONE]` has come; whatever follows is not read."""

    def feed(self, received: bytes) -> str:
        """The text of the events that `received` completes, cleaned. Raises EndpointFailure at the first that is not in order."""
        self._buffer += received
        text = []
        while not self.done:
            line, separator, rest = self._buffer.partition(b"\n")
            if not separator:
                break
            self._buffer = rest
            text.append(self._line(line.removesuffix(b"\r")))
        size = len(self._buffer) + sum(len(part) for part in self._data)
        if size > self._watch.limits.event_bytes and not self.done:
            raise EndpointFailure(Fault.TOO_LARGE, f"an event of more than {self._watch.limits.event_bytes} bytes")
        return "".join(text)

    def ended(self) -> Ended:
        """How the answer ended, once the connection has. Raises EndpointFailure when it is none."""
        if not self.finish and not self.done:
            raise EndpointFailure(Fault.CUT_OFF)
        if self.finish in {"tool_calls", "function_call"}:
            raise EndpointFailure(Fault.TOOL_CALL)
        if not self._said_something:
            raise EndpointFailure(Fault.EMPTY)
        if not self.finish:
            return Ended(complete=False, reason="no finish_reason")
        if self.finish != "stop":
            return Ended(complete=False, reason=self.finish if self.finish in {"length", "content_filter"} else "other")
        return Ended(complete=True, reason="stop") if self.done else Ended(complete=False, reason="no [DONE]")

    def _line(self, line: bytes) -> str:
        if not line:
            return self._event()
        if line.startswith(b":"):
            return ""
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name not in _OTHER_FIELDS:
            raise EndpointFailure(Fault.BROKEN_STREAM, "a line that is no server-sent event")
        return ""

    def _event(self) -> str:
        """The end of an event: the WHATWG standard (9.2.6) joins its data lines."""
        data, self._data = b"\n".join(self._data), []
        if not data:
            return ""
        if data.strip() == b"[DONE]":
            self.done = True
            return ""
        ended = bool(self.finish)
        text = self._delta(data)
        if text:
            if ended:
                raise EndpointFailure(Fault.BROKEN_STREAM, "text after the end")
            if self._repeats.repeated(data, text):
                raise EndpointFailure(Fault.REPEATED)
            text = self._cleaner.cleaned(text)
        if text:
            self._said_something = self._said_something or not text.isspace()
            self._watch.progressed()
        return text

    def _delta(self, data: bytes) -> str:
        try:
            content = json.loads(data.decode("utf-8"))
            return self._text(content)
        except UnicodeDecodeError as error:
            raise EndpointFailure(Fault.BROKEN_STREAM, "not UTF-8") from error
        except (ValueError, RecursionError) as error:
            raise EndpointFailure(Fault.BROKEN_STREAM, "not JSON") from error
        except (TypeError, KeyError, AttributeError) as error:
            raise EndpointFailure(Fault.BROKEN_STREAM, "not a chunk of a chat completion") from error

    def _text(self, content: Any) -> str:
        """The text of one chunk; its other parts go into the record. A wrong shape raises what Python raises."""
        if content.get("error"):
            raise EndpointFailure(Fault.SERVER_ERROR, "reported in the stream")
        model = content.get("model")
        if model is not None and model not in self._models:
            raise EndpointFailure(Fault.WRONG_MODEL)
        choices = content["choices"]
        if not isinstance(choices, list):
            raise TypeError
        choice = next((one for one in choices if one.get("index") in (None, 0)), None)
        if choice is None:  # one choice was asked for; the words of another must not get between its own
            return ""
        delta = choice.get("delta") or {}
        if delta.get("role") not in (None, "", "assistant"):
            raise EndpointFailure(Fault.BROKEN_STREAM, "another role")
        if delta.get("tool_calls") or delta.get("function_call"):
            raise EndpointFailure(Fault.TOOL_CALL)
        self._finished(choice.get("finish_reason"))
        if _thought(delta):
            self._watch.progressed()
        text = delta.get("content") or ""
        if not isinstance(text, str):
            raise TypeError
        return text

    def _finished(self, reason: object) -> None:
        if reason is None:
            return
        if not isinstance(reason, str):
            raise TypeError
        self.finish = self.finish or reason[:40]
        self._watch.finished()


def _thought(delta: dict[str, Any]) -> bool:
    """Models that reason say it in a field of its own. It is no answer, but the model is at work."""
    return bool(delta.get("reasoning_content") or delta.get("reasoning"))


class _Repeats:
    """Tells a stream in which each event comes twice. Nothing in the protocol numbers them."""

    def __init__(self) -> None:
        self._before = b""
        self._same_before = False
        self._pairs = 0

    def repeated(self, data: bytes, text: str) -> bool:
        """True once `_PAIRS` words in a row have come twice each. Digits do not count: many a number has pairs."""
        same = data == self._before
        if same and not self._same_before:
            self._pairs += sum(letter.isalpha() for letter in text) >= 2
        elif same == self._same_before:
            self._pairs = 0
        self._before, self._same_before = data, same
        return self._pairs >= _PAIRS
