"""A watched folder hands in each state of a file once, and nothing that is still being written."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from assistant.client import Upload
from assistant.errors import AssistantError, Conflict, InvalidRequest, NotFound, ServiceUnavailable
from ingest.watching import Round, Watcher


class World:
    """A watched folder, what was handed in from it, and what was removed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "in"
        self.folder.mkdir()
        self.memory = folder / "watched.db"
        self.taken: list[tuple[str, str]] = []
        self.removed: list[str] = []
        self.trouble: AssistantError | None = None
        self.refusal: AssistantError | None = None

    def hand_in(self, upload: Upload) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.taken.append((Path(upload.source).name, upload.path.read_text()))
        return f"id-{upload.path.read_text()}"  # the same bytes are the same document

    def remove(self, document_id: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.removed.append(document_id)

    def watcher(self, *, remove: bool = False) -> Watcher:
        return Watcher([self.folder], self.memory, self.hand_in, remove=self.remove if remove else None)

    def write(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_file_is_handed_in_when_two_looks_find_it_the_same(world: World) -> None:
    watcher = world.watcher()
    world.write("a.txt", "un")
    assert watcher.look() == Round()
    path = world.write("a.txt", "un deux")
    assert watcher.look() == Round()
    assert watcher.look() == Round(handed_in=(path,))
    assert watcher.look() == Round()
    assert world.taken == [("a.txt", "un deux")]
    watcher.close()


def test_file_that_somebody_writes_waits(world: World) -> None:
    watcher = world.watcher()
    with (world.folder / "a.txt").open("w") as file:
        file.write("un")
        file.flush()
        assert [watcher.look() for _ in range(3)] == [Round()] * 3
    assert watcher.look().handed_in == (world.folder / "a.txt",)
    watcher.close()


def test_restart_hands_nothing_in_twice_and_a_change_is_a_new_version(world: World) -> None:
    path = world.write("a.txt", "un")
    first = world.watcher()
    first.look()
    first.look()
    first.close()
    second = world.watcher()
    assert [second.look() for _ in range(3)] == [Round()] * 3
    world.write("a.txt", "deux mots")
    second.look()
    assert second.look() == Round(handed_in=(path,), changed=(path,))
    assert [text for _, text in world.taken] == ["un", "deux mots"]
    second.close()


def test_sidecar_that_comes_later_hands_the_file_in_again(world: World) -> None:
    watcher = world.watcher()
    path = world.write("a.txt", "un")
    watcher.look()
    watcher.look()
    world.write("a.txt.toml", 'title = "Un"')
    watcher.look()
    assert watcher.look().changed == (path,)
    watcher.close()


@pytest.mark.parametrize("remove", [False, True])
def test_file_that_goes_is_reported_once_and_removed_only_when_asked(world: World, remove: bool) -> None:
    watcher = world.watcher(remove=remove)
    gone = world.write("a.txt", "un")
    world.write("b.txt", "deux")
    watcher.look()
    watcher.look()
    gone.unlink()
    assert watcher.look() == Round(gone=(gone,), removed=(gone,) if remove else ())
    assert watcher.look() == Round()
    assert world.removed == (["id-un"] if remove else [])
    watcher.close()


def test_document_stays_until_the_last_of_its_copies_is_gone(world: World) -> None:
    watcher = world.watcher(remove=True)
    first, copy = world.write("a.txt", "un"), world.write("b.txt", "un")
    world.write("c.txt", "deux")
    watcher.look()
    watcher.look()
    first.unlink()
    found = watcher.look()
    assert (found.gone, found.removed, world.removed) == ((first,), (), [])
    assert f"its document stays, {copy} is the same" in found.problems[0]
    assert watcher.look() == Round()
    copy.unlink()
    assert watcher.look() == Round(gone=(copy,), removed=(copy,))
    assert world.removed == ["id-un"]
    watcher.close()


def test_copies_that_go_together_are_removed_once(world: World) -> None:
    watcher = world.watcher(remove=True)
    copies = [world.write(name, "un") for name in ("a.txt", "b.txt")]
    world.write("c.txt", "deux")
    watcher.look()
    watcher.look()
    for copy in copies:
        copy.unlink()
    found = watcher.look()
    assert (set(found.gone), found.problems, world.removed) == (set(copies), (), ["id-un"])
    watcher.close()


def test_refused_removal_is_told_once_and_tried_again(world: World) -> None:
    watcher = world.watcher(remove=True)
    gone = world.write("a.txt", "un")
    world.write("b.txt", "deux")
    watcher.look()
    watcher.look()
    gone.unlink()
    world.refusal = Conflict("is being worked on")
    assert "is being worked on" in watcher.look().problems[0]
    assert watcher.look() == Round()
    watcher.close()
    world.refusal = None
    again = world.watcher(remove=True)
    assert again.look() == Round(gone=(gone,), removed=(gone,))
    assert world.removed == ["id-un"]
    again.close()


def test_document_that_is_erased_already_is_forgotten(world: World) -> None:
    watcher = world.watcher(remove=True)
    gone = world.write("a.txt", "un")
    world.write("b.txt", "deux")
    watcher.look()
    watcher.look()
    gone.unlink()
    world.refusal = NotFound("there is no such document")
    assert watcher.look() == Round(gone=(gone,))
    assert watcher.look() == Round()
    watcher.close()


def test_folder_that_is_suddenly_empty_or_away_removes_nothing(world: World) -> None:
    watcher = world.watcher(remove=True)
    path = world.write("a.txt", "un")
    watcher.look()
    watcher.look()
    path.unlink()
    assert "in case it is only not mounted" in watcher.look().problems[0]
    shutil.rmtree(world.folder)
    assert "cannot be reached" in watcher.look().problems[0]
    assert world.removed == []
    watcher.close()


def test_disk_below_the_folder_that_is_no_longer_mounted_removes_nothing(world: World) -> None:
    watcher = world.watcher(remove=True)
    world.write("a.txt", "un")
    (world.folder / "disque").mkdir()
    gone = world.write("disque/b.txt", "deux")
    watcher.look()
    watcher.look()
    watcher.close()
    gone.unlink()
    with sqlite3.connect(world.memory) as memory:  # as if it had lain on a disk of its own
        memory.execute("UPDATE files SET device = 'another' WHERE path = ?", (os.fsencode(gone),))
    memory.close()
    watcher = world.watcher(remove=True)
    found = watcher.look()
    assert (found.gone, found.removed, world.removed) == ((), (), [])
    assert found.problems == (
        f"{gone.parent}: is on another disk than before; its documents are kept in case one is not mounted",
    )
    world.write("disque/b.txt", "deux")
    watcher.look()
    gone.unlink()
    assert watcher.look().removed == (gone,)
    watcher.close()


def test_refused_file_is_told_once_and_tried_again_only_after_a_change(world: World) -> None:
    watcher = world.watcher()
    world.write("a.txt", "un")
    world.trouble = InvalidRequest("too large")
    watcher.look()
    assert "too large" in watcher.look().problems[0]
    assert [watcher.look() for _ in range(2)] == [Round()] * 2
    world.trouble = None
    world.write("a.txt", "plus court")
    watcher.look()
    assert len(watcher.look().handed_in) == 1
    watcher.close()


def test_service_that_is_away_is_tried_again(world: World) -> None:
    watcher = world.watcher()
    world.write("a.txt", "un")
    world.trouble = ServiceUnavailable("away")
    watcher.look()
    assert "tried again" in watcher.look().problems[0]
    world.trouble = None
    assert len(watcher.look().handed_in) == 1
    watcher.close()


def test_names_in_any_bytes_are_remembered(world: World) -> None:
    for name in (b"\xe9t\xe9.txt", b"li\nne.txt"):
        (world.folder / os.fsdecode(name)).write_text("x")
    watcher = world.watcher()
    watcher.look()
    assert len(watcher.look().handed_in) == 2
    watcher.close()
    again = world.watcher()
    assert [again.look() for _ in range(2)] == [Round()] * 2
    again.close()


def test_link_is_told_once_and_never_handed_in(world: World) -> None:
    (world.folder / "link.txt").symlink_to("/etc/hostname")
    watcher = world.watcher()
    assert "is a link" in watcher.look().problems[0]
    assert [watcher.look() for _ in range(2)] == [Round()] * 2
    assert world.taken == []
    watcher.close()


def test_folder_named_by_a_detour_is_the_same_folder(world: World) -> None:
    world.write("a.txt", "un")
    watcher = world.watcher()
    watcher.look()
    watcher.look()
    watcher.close()
    again = Watcher([world.folder / ".." / world.folder.name], world.memory, world.hand_in)
    assert [again.look() for _ in range(2)] == [Round()] * 2
    again.close()
