"""Evidence and a question → what a model is told.

Text of documents is data: it stands between fences that nobody can guess, without invisible characters, and what a server
would read as the frame of a conversation is broken up in it. A model gets no tools, no addresses, and no choice of what is
searched. Whatever it makes of this is checked afterwards, so the fence is the first line of defence and not the last.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import tomllib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.endpoints import ChatMessage
from assistant.errors import ConfigurationError
from assistant.types import LANGUAGES, Passage

PROMPTS = Path(__file__).parent / "prompts" / "answer.toml"
"""The prompts that come with the program."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sentences": {
            "type": "array",
            "maxItems": 16,
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "sources": {"type": "array", "items": {"type": "integer"}, "maxItems": 6},
                },
                "required": ["text", "sources"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["sentences"],
    "additionalProperties": False,
}
"""What is asked for where the endpoint enforces it; without sentences: nothing answers."""

_FRAME_TOKENS = 48
"""What a chat template may put around two messages."""
_KEYS = ("system", "passages", "title", "heading", "date", "question", "task")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent, and the passages that its numbers stand for: `passages[0]` is [1]."""

    messages: tuple[ChatMessage, ...]
    passages: tuple[Passage, ...]
    version: str


class Prompts:
    """The words of one prompt file."""

    def __init__(self, content: Mapping[str, Any], digest: str) -> None:
        self.version = f"{content['version']}+{digest}"
        self.none = str(content["none"])
        self._sentences = int(content["sentences"])
        self._words = {language: {key: str(content[language][key]) for key in _KEYS} for language in LANGUAGES}

    @classmethod
    def load(cls, file: Path = PROMPTS) -> Prompts:
        """The prompts in `file`. Raises ConfigurationError naming what is missing from it."""
        try:
            raw = file.read_bytes()
            return cls(tomllib.loads(raw.decode("utf-8")), hashlib.sha256(raw).hexdigest()[:8])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{file}: no usable prompts ({type(error).__name__}: {error}); compare it with the one that comes with the"
                " program"
            ) from error

    def about(
        self,
        question: str,
        passages: Sequence[Passage],
        language: str,
        *,
        budget_tokens: int,
        count_tokens: Callable[[str], int],
    ) -> Prompt:
        """The messages for as many of the passages, from the first on, as fit the budget whole; perhaps for none.

        `budget_tokens` is what the prompt may take, counted by `count_tokens`.
        """
        words = self._words[language]
        fence = f"=={secrets.token_hex(8)}=="
        system = self._filled(words["system"], fence)
        ending = f"{fence}\n\n{words['question']} : {as_data(question)}\n\n{words['task']}"
        opening = self._filled(words["passages"], fence)
        left = budget_tokens - _FRAME_TOKENS - sum(count_tokens(text) for text in (system, opening, ending))
        shown: list[str] = []
        for number, passage in enumerate(passages, start=1):
            text = _numbered(number, passage, words, fence)
            left -= count_tokens(text) + 1
            if left < 0:
                break
            shown.append(text)
        user = "\n".join((opening, *shown, ending))
        messages = (ChatMessage("system", system), ChatMessage("user", user))
        return Prompt(messages, tuple(passages[: len(shown)]), self.version)

    def _filled(self, text: str, fence: str) -> str:
        values = {"{{fence}}": fence, "{{sentences}}": str(self._sentences), "{{none}}": self.none}
        for name, value in values.items():
            text = text.replace(name, value)
        return text.strip()


def _numbered(number: int, passage: Passage, words: Mapping[str, str], fence: str) -> str:
    lines = [f"{fence} [{number}]", f"{words['title']} : {_one_line(passage.title)}"]
    if passage.headings:
        lines.append(f"{words['heading']} : {' > '.join(_one_line(heading) for heading in passage.headings)}")
    if passage.date:
        lines.append(f"{words['date']} : {_one_line(passage.date)}")
    return "\n".join((*lines, "", as_data(passage.text).replace(fence, "")))


def _one_line(text: str) -> str:
    return " ".join(as_data(text).split())


# --- documents as data -------------------------------------------------------------------------------------------

_BARS = re.compile(r"[<\[](?=\s*/?\s*\|)|\|(?=\s*/?\s*[>\]])")
"""<|im_start|>, <|eot_id|>, <|assistant|>, <｜User｜>, [|Human|]."""
_FRAME = re.compile(
    r"<<\s*/?\s*SYS\s*>>|\[\s*/?\s*(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|MODEL_SETTINGS|THINK)\s*\]"
    r"|</?\s*(?:s|bos|eos|pad|unk|mask|think|thinking|tool_call|tool_response|tools?|functions?|system|user|assistant|human)\s*>"
    r"|\[\s*(?:[gs]MASK|IMG(?:_BREAK|_END)?|AUDIO|BEGIN_AUDIO|ARGS|CALL_ID|PREFIX|MIDDLE|SUFFIX)\s*\]|<(?:sop|eop|eod|image|video|audio|img)>"
    r"|</?[a-z]+(?:_[a-z0-9]+)+>"  # <start_of_turn>, <end_of_utterance>, <reserved_106>
    r"|<unused\d+>|</?\s*seed:[a-z_]+\s*>|\]~!?b[\[\]]|\[e~\["
    r"|#{2,}\s*(?:instructions?|system|user|human|assistant|response|input|consignes?|réponse|تعليمات|التعليمات)\b",
    re.IGNORECASE,
)
_FRAME_LETTERS = re.compile(r"[<>\[\]|/#~:＜＞［］｜／＃～：]")
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
"""Letters of full width → those of a keyboard: what breaks up `[INST]` breaks up `［ＩＮＳＴ］`."""
_ROLE_LINE = re.compile(
    r"^([ \t]*)(?=(?:system|assistant|user|human|developer|tool|ai|utilisateur|système|المستخدم|المساعد|النظام)[ \t]*[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_ARABIC_SIGNS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd")
"""Of the category of invisible characters, and visible."""


def as_data(text: str) -> str:
    """A text of a document as a model may read it: nothing invisible, and nothing that looks like the frame around it.

    >>> as_data("a<|im_end|>\\\\nsystem: b") == "a< |im_end| >\\\\nsystem: b"
    True
    >>> as_data("\\u200b[IN\\u2060ST] ### Instruction: x")
    '[ INST ] # # #  Instruction: x'
    >>> as_data("[gMASK]<sop> [IMG] <reserved_106> [Annexe]")
    '[ gMASK ]< sop > [ IMG ] < reserved_106 > [Annexe]'
    """
    hidden = {ord(letter): None for letter in set(text) if not _is_visible(letter)}
    visible = text.translate(hidden) if hidden else text
    broken = _replaced(_BARS, visible, lambda bar: f"{bar} ")
    broken = _replaced(_FRAME, broken, lambda frame: _FRAME_LETTERS.sub(_apart, frame).strip())
    return _replaced(_ROLE_LINE, broken, lambda indent: f"{indent}· ")


def _replaced(pattern: re.Pattern[str], text: str, made: Callable[[str], str]) -> str:
    """`text` with what `made` makes of each match, whatever width its letters have."""
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(text if text.isascii() else text.translate(_NARROW)):
        pieces += (text[end : match.start()], made(text[match.start() : match.end()]))
        end = match.end()
    return "".join((*pieces, text[end:]))


def _apart(match: re.Match[str]) -> str:
    letter = match.group()
    return f" {letter}" if letter in "]>］＞" else f"{letter} "


def _is_visible(letter: str) -> bool:
    if letter.isascii() or letter in _ARABIC_SIGNS:
        return (letter >= " " and letter != "\x7f") or letter in "\n\t"
    category = unicodedata.category(letter)
    variation = (
        "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef" or letter in "\u034f\u115f\u1160\u3164"
    )
    return category not in ("Cc", "Cf", "Cs", "Co", "Cn") and not variation
