"""What verification says of older versions that are kept."""

from __future__ import annotations

from pathlib import Path

from assistant.ingestion import Inconsistency
from tests.ingest.archiving import ARCHIVIST, CLERK, Office, office, zip_of

TEXT = "Le délai de dépôt de la demande est de trente jours à compter de la notification.\n"


def check(world: Office) -> tuple[Inconsistency, ...]:
    return world.ingestion._verification._verifier.verify(mend=True).found


def test_missing_original_and_changed_text_of_an_older_version_are_found(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        old = world.hand_in("note.txt", TEXT + "quetzal d'hier")
        world.ingestion.hold(old.document_id, ARCHIVIST, "procès")
        world.hand_in("note.txt", TEXT + "quetzal du jour")
        assert check(world) == ()
        world.archive.original_path(old.version).unlink()
        assert [(each.kind, each.document_id) for each in check(world)] == [("original missing", old.document_id)]
        with world.archive._database.writing() as connection:
            connection.execute("UPDATE documents SET checksum = 'x' WHERE version = ?", (old.version,))
        assert [each.kind for each in check(world)] == ["original missing", "text damaged"]
        assert world.found("quetzal du jour", CLERK)


def test_former_version_handed_in_again_is_the_newest_one(tmp_path: Path) -> None:
    with office(tmp_path, extra='[ingest]\nkeep_versions = "all"\n') as world:
        first = world.hand_in("note.txt", TEXT + "renard un")
        world.hand_in("note.txt", TEXT + "renard deux")
        assert world.hand_in("note.txt", TEXT + "renard un").version == first.version
        assert world.found("renard un", CLERK)
        assert not world.found("renard deux")
        world.hand_in("note.txt", b"%PDF-1.4 nothing that could be read")
        assert not world.found("renard")
        world.hand_in("note.txt", TEXT + "renard un")
        assert world.found("renard un", CLERK)
        assert check(world) == ()


def test_bytes_of_a_replaced_version_go_even_where_no_text_was_read_from_them(tmp_path: Path) -> None:
    with office(tmp_path) as world:
        versions = [
            world.hand_in(name, content).version
            for name, content in (
                ("dossier.zip", zip_of({"a.txt": TEXT + "un"})),
                ("note.txt", b"%PDF-1.4 nothing that could be read"),
                ("copie.txt", zip_of({"b.txt": TEXT + "deux"})),
                ("double.zip", zip_of({"b.txt": TEXT + "deux"})),
                ("dossier.zip", zip_of({"a.txt": TEXT + "trois"})),
                ("note.txt", TEXT + "quatre"),
                ("copie.txt", TEXT + "cinq"),
            )
        ]
        there = [world.archive.original_path(version).is_file() for version in versions]
        assert there == [False, False, True, True, True, True, True]
        assert check(world) == ()
