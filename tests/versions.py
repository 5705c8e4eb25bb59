"""Versions of the demo's documents with known edits (`tests/data/changes`), and how well a comparison finds them."""

from __future__ import annotations

import random
import re
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant.alignment import tokens
from assistant.changes import Change, ChangeKind
from assistant.language import readable_form
from assistant.outline import statements
from assistant.types import Block, BlockKind, Document, Page, Span, TextOrigin
from tests.ingest.reading import parsed
from tests.worlds import DEMO, document

FILE = Path(__file__).parent / "data" / "changes" / "pairs.toml"
_WIDTH = {"wrap": 63, "hyphens": 71}
_PAGE_CHARS = 1300
OTHER_WORDS = {
    "fr": ("doit", "jamais", "semestriel", "refusée"),
    "en": ("must", "never", "weekly", "refused"),
    "ar": ("يجب", "أبدا", "أسبوعيا", "مرفوض"),
}


@dataclass(frozen=True)
class Edit:
    kind: ChangeKind
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class VersionPair:
    id: str
    old: Document
    new: Document
    edits: tuple[Edit, ...]


@dataclass
class Score:
    """Of one comparison: edits there are and those that were found, changes that were told and those that are edits."""

    edits: int = 0
    found: int = 0
    told: int = 0
    right: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __iadd__(self, other: Score) -> Score:
        for name in ("edits", "found", "told", "right", "missed", "wrong"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def recall(self) -> float:
        return self.found / self.edits if self.edits else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.told if self.told else 1.0


def version_pairs() -> list[VersionPair]:
    return [_pair(about) for about in tomllib.loads(FILE.read_text(encoding="utf-8"))["pair"]]


def score(pair: VersionPair, changes: Sequence[Change]) -> Score:
    """An edit is found by a change of its kind that says it on each side; a change is right when it says edits and no more."""
    result = Score(edits=len(pair.edits), told=len(changes))
    told = [
        (change.kind, change.before.text if change.before else "", change.after.text if change.after else "")
        for change in changes
    ]
    for edit in pair.edits:
        if any(_says(entry, edit) for entry in told):
            result.found += 1
        else:
            result.missed.append(f"{pair.id}: {edit}")
    for entry in told:
        edits = [edit for edit in pair.edits if _says(entry, edit)]
        if edits and all(
            _alike(side, " ".join(part)) >= 0.8
            for side, part in ((entry[1], [e.before for e in edits]), (entry[2], [e.after for e in edits]))
        ):
            result.right += 1
        else:
            result.wrong.append(f"{pair.id}: {entry}")
    return result


def _says(told: tuple[str, str, str], edit: Edit) -> bool:
    return told[0] == edit.kind and _holds(told[1], edit.before) and _holds(told[2], edit.after)


def _holds(text: str, part: str) -> bool:
    """True when nearly every word of `part` is in `text`, letters that OCR read wrongly apart; nothing holds just nothing."""
    wanted, there = _counted(part), _counted(text)
    return _shared(wanted, there) >= 0.8 * sum(wanted.values()) and bool(wanted) == bool(there)


def _alike(one: str, other: str) -> float:
    first, second = _counted(one), _counted(other)
    total = sum(first.values()) + sum(second.values())
    return 2 * _shared(first, second) / total if total else 1.0


def _shared(wanted: Counter[str], there: Counter[str]) -> int:
    shared = sum((wanted & there).values())
    left = list((there - wanted).elements())
    for word in (wanted - there).elements():
        misread = [other for other in left if len(other) == len(word) > 5 and _one_letter(word, other)]
        if misread:
            left.remove(misread[0])
            shared += 1
    return shared


def _one_letter(word: str, other: str) -> bool:
    return sum(a != b for a, b in zip(word, other, strict=True)) == 1


def _counted(text: str) -> Counter[str]:
    return Counter(token.form for token in tokens(text))


@lru_cache
def _base(name: str) -> Document:
    read = parsed(DEMO / "documents" / name)
    return replace(
        document(read.text, name=Path(name).name, language=read.language), pages=read.pages, blocks=read.blocks
    )


def _pair(about: dict[str, Any]) -> VersionPair:
    old = _base(about["base"])
    blocks = _sentences(old)
    edits: list[Edit] = []
    for before, after in about.get("changed", ()):
        at = _place(blocks, before)
        at[0][at[1]] = after
        edits.append(Edit("changed", before, after))
    for before in about.get("removed", ()):
        at = _place(blocks, before)
        del at[0][at[1]]
        edits.append(Edit("removed", before))
    for behind, after in about.get("added", ()):
        at = _place(blocks, behind)
        at[0].insert(at[1] + 1, after)
        edits.append(Edit("added", after=after))
    for what, behind in about.get("moved", ()):
        at = _place(blocks, what)
        del at[0][at[1]]
        at = _place(blocks, behind)
        at[0].insert(at[1] + 1, what)
    new = _laid_out(old, [block for block in blocks if block[2]], about["noise"], about["id"])
    return VersionPair(about["id"], old, new, tuple(edits))


def random_pair(base: str, other: str, seed: int) -> VersionPair:
    """A document with random edits: numbers and words changed, sentences removed, and added from `other`."""
    chance = random.Random(f"{base} {seed}")
    old = _base(base)
    blocks = _sentences(old)
    counts = Counter(sentence for _, _, sentences in blocks for sentence in sentences)
    prose = [
        (sentences, sentence)
        for kind, _, sentences in blocks
        for sentence in sentences
        if kind is BlockKind.PARAGRAPH and counts[sentence] == 1 and _is_whole(sentence)
    ]
    foreign = [
        sentence for _, _, sentences in _sentences(_base(other)) for sentence in sentences if _is_whole(sentence)
    ]
    edits = []
    for sentences, sentence in chance.sample(prose, min(6, len(prose))):
        at, kind = sentences.index(sentence), chance.choice(("changed", "removed", "added"))
        if kind == "changed":
            sentences[at] = _with_another_word(sentence, old.language, chance)
            edits.append(Edit("changed", sentence, sentences[at]))
        elif kind == "removed":
            del sentences[at]
            edits.append(Edit("removed", sentence))
        else:
            sentences.insert(at + 1, foreign.pop(chance.randrange(len(foreign))))
            edits.append(Edit("added", after=sentences[at + 1]))
    noise = chance.sample(("wrap", "hyphens", "pages", "spaces", "ocr"), chance.randint(1, 3))
    name = f"{old.language} {base} {seed} {noise}"
    return VersionPair(
        name, old, _laid_out(old, [block for block in blocks if block[2]], noise, str(seed)), tuple(edits)
    )


def _is_whole(sentence: str) -> bool:
    return len(sentence.split()) > 8 and "|" not in sentence and sentence.endswith(".")


def _with_another_word(sentence: str, language: str, chance: random.Random) -> str:
    """One number of the sentence is another, or where there is none one of its words."""
    words = sentence.split()
    numbers = [at for at, word in enumerate(words) if any(character.isdigit() for character in word)]
    at = chance.choice(numbers or range(1, len(words) - 1))
    if numbers:
        words[at] = "".join(str((int(c) + 3) % 10) if c.isdigit() else c for c in words[at])
    else:
        words[at] = chance.choice([word for word in OTHER_WORDS[language] if word != words[at]])
    return " ".join(words)


Sentences = tuple[BlockKind, int, list[str]]


def _sentences(of: Document) -> list[Sentences]:
    """(kind, heading level, sentences) of each block."""
    found: dict[int, Sentences] = {}
    for statement in statements(of):
        block = of.blocks[statement.block]
        entry = found.setdefault(statement.block, (block.kind, block.heading_level, []))
        entry[2].append(readable_form(of.text[statement.span.start : statement.span.end]))
    return list(found.values())


def _place(blocks: Iterable[Sentences], sentence: str) -> tuple[list[str], int]:
    for _, _, sentences in blocks:
        if sentence in sentences:
            return sentences, sentences.index(sentence)
    raise AssertionError(f"no such sentence: {sentence}")


def _laid_out(old: Document, blocks: Sequence[Sentences], noise: Sequence[str], seed: str) -> Document:
    """The new version: its blocks as text, on pages, with what the noise does to them."""
    chance = random.Random(seed)
    text = ""
    placed: list[Block] = []
    pages: list[int] = []
    for kind, level, sentences in blocks:
        joint = "\n" if kind is BlockKind.TABLE else " "
        for piece in _pieces(_noisy(joint.join(sentences), kind, noise, chance), kind, noise, chance):
            if "pages" in noise and len(text) - (pages[-1] if pages else 0) > _PAGE_CHARS:
                text += f"\n{len(pages) + 1} / 9\n"
                pages.append(len(text))
                text += "Recueil des actes\n"
            placed.append(Block(Span(len(text), len(text) + len(piece)), kind, level))
            text += piece + "\n\n"
    starts = [0, *pages]
    ends = [*pages, len(text)]
    origin = TextOrigin.OCR if "ocr" in noise else TextOrigin.TEXT_LAYER
    return replace(
        old,
        version="v2",
        text=text,
        blocks=tuple(placed),
        pages=tuple(
            Page(number, Span(start, end), 595, 842, (), origin, 0.9)
            for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
        ),
    )


def _pieces(text: str, kind: BlockKind, noise: Sequence[str], chance: random.Random) -> list[str]:
    """The paragraph, or what two pages have of it, where pages are cut anew."""
    words = text.split(" ")
    if "pages" not in noise or kind is not BlockKind.PARAGRAPH or len(words) < 24 or chance.random() < 0.5:
        return [text]
    cut = chance.randrange(8, len(words) - 8)
    return [" ".join(words[:cut]), " ".join(words[cut:])]


def _noisy(text: str, kind: BlockKind, noise: Sequence[str], chance: random.Random) -> str:
    if "ocr" in noise:
        text = " ".join(_misread(word, chance) for word in text.split(" "))
    if "spaces" in noise:
        text = text.replace("'", "’").replace(" ;", "\u00a0;").replace(" €", "\u202f€").replace(". ", ".  ")
    for name, width in _WIDTH.items():
        if name in noise and kind is BlockKind.PARAGRAPH:
            text = "\n".join(textwrap.wrap(text, width, break_on_hyphens=False))
    if "hyphens" in noise and kind is BlockKind.PARAGRAPH:
        text = re.sub(r"(?<=[a-zé]{4})([a-zé]{4,})\n", lambda match: f"-\n{match[1]} ", text)
    return text


def _misread(word: str, chance: random.Random) -> str:
    if len(word) < 6 or not word.isalpha() or chance.random() > 1 / 30 * 3:
        return word
    at = chance.randrange(1, len(word) - 1)
    other = "ن" if "\u0600" <= word[0] <= "\u06ff" else "l"
    return word[:at] + other + word[at + 1 :]
