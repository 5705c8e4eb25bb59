"""What changed between versions: found, cited, and only for whoever may read both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.access import Role
from assistant.archive import Archive
from assistant.audit import AuditLog
from assistant.changes import Comparison
from assistant.comparing import Comparing
from assistant.errors import AuditUnavailable, NotFound
from assistant.language import readable_form
from assistant.types import Block, BlockKind, Document, Span
from tests.versions import Score, random_pair, score, version_pairs
from tests.worlds import INTERNAL, PUBLIC, document, reader

OLD = """Article 1 – Objet

Le congé est de trente jours. La demande est écrite.

Article 2 – Silence

Le silence vaut refus.
"""
NEW = """Article 1 – Objet

Le congé est de vingt-cinq
jours. La demande est écrite.

Une copie est gardée.

Article 2 – Silence
"""
READER, ARCHIVIST = reader("internal"), reader("internal", Role.READER, Role.ARCHIVIST)


class World:
    def __init__(self, folder: Path) -> None:
        self.archive, self.audit = Archive(folder / "archive"), AuditLog(folder / "audit.db")
        self.comparing = Comparing(self.archive, self.audit)

    def put(self, text: str, **about: object) -> Document:
        stored = document(text, **about)  # type: ignore[arg-type]
        self.archive.put(stored)
        return stored

    def two_versions(self) -> tuple[Document, Document]:
        old = self.put(OLD, label=INTERNAL, version="v1", pages=1)
        new = self.put(NEW, label=INTERNAL, version="v2", pages=2)
        self.archive.supersede(old.id, new.version)
        return old, new


def test_each_change_is_cited_on_both_sides_word_for_word(tmp_path: Path) -> None:
    world = World(tmp_path)
    old, new = world.two_versions()
    found = world.comparing.changes(new.id, ARCHIVIST)
    assert [(change.kind, change.heading) for change in found.changes] == [
        ("changed", "Article 1 – Objet"),
        ("added", "Article 1 – Objet"),
        ("removed", "Article 2 – Silence"),
    ]
    for change in found.changes:
        for side, of in ((change.before, old), (change.after, new)):
            if side is not None:
                span = side.citation.span
                assert of.text[span.start : span.end] == side.citation.quote
                assert side.text == readable_form(side.citation.quote)
                assert (side.citation.document_id, side.citation.version) == (of.id, of.version)
                assert side.page_number == side.citation.page_number
                assert side.page_number in (1, 2)
    changed = found.changes[0]
    assert changed.before is not None
    assert changed.after is not None
    assert [changed.before.text[w.start : w.end] for w in changed.before.changed] == ["trente"]
    assert [changed.after.text[w.start : w.end] for w in changed.after.changed] == ["vingt-cinq"]
    assert all(words.is_number for side in (changed.before, changed.after) for words in side.changed)


def test_named_versions_are_compared_in_the_order_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    old, new = world.two_versions()
    back = world.comparing.changes(new.id, ARCHIVIST, before=new.version, after=old.version)
    assert [change.kind for change in back.changes] == ["changed", "removed", "added"]
    same = world.comparing.changes(new.id, ARCHIVIST, before=old.version, after=old.version)
    assert same.changes == ()
    assert same.unchanged > 0


def test_reader_of_one_version_learns_nothing_of_another(tmp_path: Path) -> None:
    world = World(tmp_path)
    old, new = world.two_versions()
    alone = World(tmp_path / "alone")
    alone.put(NEW, label=INTERNAL, version="v2", pages=2)
    seen, expected = (it.comparing.changes(new.id, READER) for it in (world, alone))
    assert seen == expected
    assert (seen.before, seen.changes) == (None, ())
    with pytest.raises(NotFound) as refused:
        world.comparing.changes(new.id, READER, before=old.version)
    with pytest.raises(NotFound) as unknown:
        world.comparing.changes(new.id, READER, before="nowhere")
    assert str(refused.value) == str(unknown.value)


def test_two_documents_are_compared_only_by_whoever_may_read_both(tmp_path: Path) -> None:
    world = World(tmp_path)
    one = world.put(OLD, name="un.txt", label=PUBLIC)
    hidden = world.put(NEW, name="deux.txt", label=INTERNAL)
    found = world.comparing.changes(one.id, READER, other=hidden.id)
    assert found.before is not None
    assert (found.before.document_id, found.after.document_id) == (one.id, hidden.id)
    assert len(found.changes) == 3
    for document_id, other in ((one.id, hidden.id), (hidden.id, one.id), (one.id, "nowhere"), (hidden.id, None)):
        with pytest.raises(NotFound, match="no such document, or none that you may read"):
            world.comparing.changes(document_id, reader("public"), other=other)


def test_document_without_text_is_all_removed_or_added(tmp_path: Path) -> None:
    world = World(tmp_path)
    full = world.put(OLD, name="plein.txt")
    for text in ("", " \n ", "12\n"):
        empty = world.put(text, name="vide.txt")
        gone = world.comparing.changes(full.id, READER, other=empty.id)
        assert {change.kind for change in gone.changes} == {"removed"}
        assert world.comparing.changes(empty.id, READER, other=empty.id).changes == ()


def test_comparison_is_on_record_and_refused_without_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    _, new = world.two_versions()
    world.comparing.changes(new.id, ARCHIVIST)
    with pytest.raises(NotFound):
        world.comparing.changes("nowhere", READER)
    check = world.audit.verify()
    assert (check.entries, check.open_records, check.broken_at) == (4, 0, None)
    assert "trente" not in (tmp_path / "audit.db").read_bytes().decode("utf-8", "replace")
    world.audit.close()
    (tmp_path / "audit.db").unlink()
    (tmp_path / "audit.db").mkdir()
    with pytest.raises(AuditUnavailable):
        world.comparing.changes(new.id, ARCHIVIST)


def test_table_header_repeated_on_the_next_page_is_no_change(tmp_path: Path) -> None:
    world = World(tmp_path)
    rows = ["Prestation | Tarif", "Copie | 2,00 €", "Extrait | 8,00 €"]
    old = _table(world, "un.txt", [rows])
    new = _table(world, "deux.txt", [rows[:2], ["Prestation | Tarif", "Extrait | 9,00 €"]])
    (change,) = world.comparing.changes(old.id, READER, other=new.id).changes
    assert change.after is not None
    assert [change.after.text[w.start : w.end] for w in change.after.changed] == ["9,00"]


def _table(world: World, name: str, tables: list[list[str]]) -> Document:
    text, blocks = "", []
    for rows in tables:
        table = "\n".join(rows)
        blocks.append(Block(Span(len(text), len(text) + len(table)), BlockKind.TABLE))
        text += table + "\n\n"
    stored = replace(document(text, name=name), blocks=tuple(blocks))
    world.archive.put(stored)
    return stored


def test_known_edits_of_the_demo_documents_are_found_and_nothing_else(tmp_path: Path) -> None:
    """At 18 pairs and 70 edits in three languages."""
    comparing = Comparing(Archive(tmp_path / "archive"), AuditLog(tmp_path / "audit.db"))
    by_language: dict[str, Score] = {}
    for pair in version_pairs():
        total = by_language.setdefault(pair.id[:2], Score())
        total += score(pair, _compared(comparing, pair.old, pair.new).changes)
    assert sum(total.edits for total in by_language.values()) == 70
    for language, total in by_language.items():
        assert total.recall >= 0.97, (language, total.missed)
        assert total.precision >= 0.95, (language, total.wrong)


@pytest.mark.parametrize(
    ("base", "other"),
    [
        ("fr/guide-agent-2024.pdf", "fr/reglement-interieur-services-2023.pdf"),
        ("en/continuity-plan-2024.pdf", "en/residents-handbook-2024.pdf"),
        ("ar/dalil-khadamat-sukkan-2024.pdf", "ar/qarar-2023-77-aswaq.pdf"),
    ],
)
def test_random_edits_of_other_documents_are_found_and_little_else(tmp_path: Path, base: str, other: str) -> None:
    comparing = Comparing(Archive(tmp_path / "archive"), AuditLog(tmp_path / "audit.db"))
    total = Score()
    for seed in range(5):
        pair = random_pair(base, other, seed)
        total += score(pair, _compared(comparing, pair.old, pair.new).changes)
    assert total.edits >= 20
    assert total.recall >= 0.95, total.missed
    assert total.precision >= 0.9, total.wrong


def _compared(comparing: Comparing, old: Document, new: Document) -> Comparison:
    one, other = replace(old, id=f"{old.id}-old"), replace(new, id=f"{new.id}-new")
    for version in (one, other):
        comparing._archive.put(replace(version, pages=tuple(replace(page, runs=()) for page in version.pages)))
    return comparing.changes(one.id, READER, other=other.id)
