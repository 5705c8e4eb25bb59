"""Files of labelled lines as people save them: UTF-8 with or without a byte order mark, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistant.errors import ConfigurationError
from assistant.language import detect_language
from assistant.types import LANGUAGES


def text_lines(file: Path) -> list[str]:
    r"""The lines of a text file, which end with \n or \r\n and with nothing else: JSON may hold other line ends in its texts.

    Raises ConfigurationError when it cannot be read as UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def json_object(line: str, place: str) -> dict[str, Any]:
    """The JSON object of a line. Raises ConfigurationError, naming `place`, when it is not one or holds half a character."""
    try:
        value = json.loads(line)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{place}: it has half a character (a surrogate), which is no text") from error
    except (ValueError, RecursionError) as error:
        told = error.msg if isinstance(error, json.JSONDecodeError) else "too deep, or a number too long"
        raise ConfigurationError(f"{place}: not valid JSON: {told}") from error
    if not isinstance(value, dict):
        raise ConfigurationError(f"{place}: one JSON object a line is expected")
    return value


def language_of(line: Mapping[str, Any], text: str, place: str, *, usual: str = "fr") -> str:
    """The language that the line's `lang` names (`fr`, `FR` and `fr-FR` alike), or else that of its text.

    `usual`: where the text has no letters. Raises ConfigurationError when `lang` is there and no text.

    >>> language_of({"lang": "ar-MA"}, "", "line 1"), language_of({"lang": "de"}, "When is the office open?", "line 1")
    ('ar', 'en')
    """
    named = line.get("lang")
    if named is not None and not isinstance(named, str):
        raise ConfigurationError(f"{place}: 'lang' is not a text")
    return known_language(named or "") or detect_language(text, default=usual)


def known_language(named: str) -> str:
    """The one of the assistant's languages that this names; empty when it names none of them."""
    language = named.replace("_", "-").partition("-")[0].strip().lower()
    return language if language in LANGUAGES else ""
