"""One line that a model wrote → its text without Markdown, links, images and HTML, and the sources that are named in it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from enum import Enum, auto

from assistant.language import TABLE_CELL

MAX_SOURCE = 999


class Kind(Enum):
    """What a piece of an answer is."""

    SENTENCE = auto()
    ITEM = auto()
    """Of a list: its text begins with `- ` or its number."""
    ROW = auto()
    """Of a table: cells between ` | `."""
    LEAD = auto()
    """A heading, or what announces a list: it claims nothing by itself."""


_NAMED = r"(?:sources?|passages?|extraits?|documents?|doc|réf|ref|المصدر|مصدر|المقطع|مقطع|الوثيقة|وثيقة)?"
_MARKER = re.compile(
    rf"[\[【]\s*\^?{_NAMED}\s*(?P<numbers>\d{{1,3}}(?:\s*[,;،؛–†-]\s*{_NAMED}\s*\d{{1,3}})*)\s*[\]】]", re.IGNORECASE
)
_NUMBER = re.compile(r"\d+")
_RANGE = re.compile(r"(\d+)\s*[–-]\s*(\d+)")
_UNNAMED = _MARKER.pattern.replace("(?P<numbers>", "(?:")
_ACCORDING_TO = (
    r"(?:\b(?:selon|d[’']après|according to|as stated in|based on|per)|(?:وفقًا|وفقا|طبقًا|طبقا|استنادًا|حسب)\s*(?:ل|إلى)?)"
    rf"\s*(?:\b(?:le|la|les|the)\b|ل|لل|ال)?\s*{_NAMED}\s*(?P<markers>(?:{_UNNAMED}\s*)+)"
)
_SENTENCE_BEGINS = r"(?:^|(?<=[.!?؟] )|(?<=[.!?؟] \[\d\] )|(?<=[.!?؟]\[\d\] ))"
_ATTRIBUTION = re.compile(rf"{_SENTENCE_BEGINS}{_ACCORDING_TO}[,،]?\s*(?P<word>\w+)", re.IGNORECASE)
"""`Selon [1], le délai …`: the marker stays, the words around it go."""
_ASIDE = re.compile(rf"\s*[,،]\s*{_ACCORDING_TO}[,،]", re.IGNORECASE)

_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")
_MARKER_LINK = re.compile(r"([\[【]\^?\d+[\]】])\([^()\n]*\)")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]\n]*)\]\((?:[^()\n]|\([^()\n]*\))*\)")
_REFERENCE_LINK = re.compile(r"!?\[([^\[\]\n]*[^\W\d][^\[\]\n]*)\]\[[^\[\]\n]*\]")
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_TAG = re.compile(
    r"</?[A-Za-z!?][^<>]*>"
    r"|</?(?:a|audio|base|body|embed|form|iframe|img|input|link|math|meta|object|script|style|svg|video)\b[^<>]*$",
    re.IGNORECASE,
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U000e0000-\U000e01ef]"
)
_CODE_TICKS = re.compile(r"`+")
_STRONG = re.compile(r"\*{2,3}|__+|~~")
_EMPHASIS = re.compile(r"(?<![\w*])[*_](?=\S)|(?<=\S)[*_](?![\w*])")
_SPACE = re.compile(r"\s+")
_MARKERS_BEFORE_STOP = re.compile(rf"\s+((?:{_UNNAMED}\s*)+)(?=[.,،…])", re.IGNORECASE)

_FENCE_LINE = re.compile(r"\s*(?:```|~~~)")
_RULE_LINE = re.compile(r"\s*(?:[-*_=]\s*){3,}$")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_DEFINITION = re.compile(r"\s*\[[^\]]+\]:\s*\S+\s*(?:[\"'(].*)?$")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s+|\s*(?=\*\*[^*]+\*\*\s*:?\s*$)")
_QUOTED = re.compile(r"\s*(?:>\s?)+")
_BULLET = re.compile(r"\s*[-*+•▪◦–—]\s+")
_NUMBERED = re.compile(r"\s*(\d{1,2}[.)]|[٠-٩]{1,2}[.)-])\s+")
_UNSETTLED = re.compile(
    r"!?\[[^\[\]\n]{0,200}\]?$|!?\[[^\[\]\n]{0,200}\](?:\((?:[^()\n]|\([^()\n]*\)?){0,600}|\[[^\[\]\n]{0,200})$"
    r"|<[^<>\n]{0,200}$|【[^】\n]{0,40}$|[*_`~\\]+$|&[\w#]{0,10}$"
)
"""A link, a tag, a marker, emphasis or an entity that may still be in the making at the end of a text."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without Markdown and markers."""

    text: str
    markers: tuple[tuple[int, tuple[int, ...]], ...]
    """(offset in `text`, numbers), in order."""
    kind: Kind
    bullet: str
    """What its text begins with when it is an item; not part of `text`."""


def read_line(line: str) -> Line | None:
    """The line as text; None for one that says nothing: a fence, a rule, the definition of a link."""
    if any(pattern.match(line) for pattern in (_FENCE_LINE, _RULE_LINE, _TABLE_RULE, _DEFINITION)):
        return None
    kind, bullet = Kind.SENTENCE, ""
    if quoted := _QUOTED.match(line):
        line = line[quoted.end() :]
    if heading := _HEADING.match(line):
        line, kind = line[heading.end() :].rstrip("# "), Kind.LEAD
    elif line.lstrip().startswith("|"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        line, kind = TABLE_CELL.join(cells), Kind.ROW
    elif found := _BULLET.match(line):
        line, kind, bullet = line[found.end() :], Kind.ITEM, "- "
    elif found := _NUMBERED.match(line):
        line, kind, bullet = line[found.end() :], Kind.ITEM, f"{found.group(1)} "
    return prose(line, kind, bullet)


def places_to_cut(line: str) -> list[int]:
    """Where a line can be cut in two without cutting a word or a marker, in order."""
    return sorted({match.end() for pattern in (_SPACE, _MARKER) for match in pattern.finditer(line)})


def prose(line: str, kind: Kind = Kind.SENTENCE, bullet: str = "") -> Line:
    """A line, or what is left of one, that is what its `kind` says and begins with nothing else."""
    return Line(*_without_markers(as_text(line)), kind, bullet)


def as_text(line: str) -> str:
    """A line without Markdown, links, images and HTML; what they show as text stays.

    >>> as_text("**Voir** [ici](http://x/?q=1) <b>et</b> ![là](//y/z.png) `a`")
    'Voir ici et là a'
    """
    line = _INVISIBLE.sub("", _ESCAPED.sub(r"\1", html.unescape(line)))
    former = None
    while former != line:
        former = line
        line = _COMMENT.sub("", _MARKER_LINK.sub(r"\1", line))
        line = _REFERENCE_LINK.sub(r"\1", _IMAGE_OR_LINK.sub(r"\1", line))
        line = _TAG.sub(" " if "<br" in line.lower() else "", line)
    line = _STRONG.sub("", _CODE_TICKS.sub("", line))
    return _SPACE.sub(" ", _EMPHASIS.sub("", line)).strip()


def _without_markers(line: str) -> tuple[str, tuple[tuple[int, tuple[int, ...]], ...]]:
    """The text of a line, and where in it which sources are named."""
    line = _ATTRIBUTION.sub(lambda m: f"{m['word'][:1].upper()}{m['word'][1:]}{_SPACE.sub('', m['markers'])}", line)
    line = _ASIDE.sub(r"\g<markers>", line)
    line = _MARKERS_BEFORE_STOP.sub(lambda m: _SPACE.sub("", m[1]), line)
    text, last = "", 0
    markers: list[tuple[int, tuple[int, ...]]] = []
    for match in _MARKER.finditer(line):
        text = (text + line[last : match.start()]).lstrip()
        last = match.end()
        markers.append((len(text.rstrip()), _numbers(match["numbers"])))
        following = line[last : last + 1]
        text = text.rstrip() + (" " if following.isalnum() else "")
    return (text + line[last:]).strip() if text else line[last:].strip(), tuple(markers)


def _numbers(written: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for first, last in _RANGE.findall(written):
        numbers += range(int(first), min(int(last), int(first) + 20) + 1)
    numbers += [int(number) for number in _NUMBER.findall(written)]
    return tuple(dict.fromkeys(number for number in numbers if 0 < number <= MAX_SOURCE))


def markers_alone(rest: str) -> int | None:
    """How many characters of the text after a line break are markers on a line of their own; None while that is open."""
    bare = rest.lstrip()
    if not bare:
        return None
    if bare[0] not in "[【":
        return 0
    position = len(rest) - len(bare)
    while match := _MARKER.match(rest, position):
        position = match.end()
        position += len(rest[position:]) - len(rest[position:].lstrip(" \t"))
    if position < len(rest) and rest[position] == "\n":
        return position
    closed = position < len(rest) and rest[position] not in "[【"
    return 0 if closed or len(rest) - position > 40 else None


def settled(line: str) -> str:
    """The beginning of an unfinished line that no link, tag or marker still in the making can change."""
    open_at = _UNSETTLED.search(line)
    return line[: open_at.start()] if open_at else line


def ends_with_marker(text: str) -> bool:
    """True when no word follows the last marker."""
    ends = [match.end() for match in _MARKER.finditer(text)]
    return bool(ends) and not re.search(r"\w", text[ends[-1] :])
