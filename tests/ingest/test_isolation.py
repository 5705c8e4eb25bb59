"""Whatever a file does to its parser, the service gets an answer and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import ServiceUnavailable
from assistant.types import Block, BlockKind, Box, Page, Span, Word
from ingest import isolation
from ingest.confinement import in_force
from ingest.isolation import parse_here, parse_isolated
from ingest.parsing import Attachment, Parsed, ParsingSettings, Rejected
from ingest.transfer import read_result, write_result

DEMO = Path(__file__).resolve().parents[2] / "configs" / "demo" / "documents"
SETTINGS = ParsingSettings()


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture(autouse=True, scope="module")
def _nurseries_end() -> Iterator[None]:
    yield
    isolation.close()


def children_of_nurseries() -> list[str]:
    """Command lines of what still runs below this process's nurseries."""
    nurseries = [nursery._process.pid for nursery in isolation._idle]
    listing = [
        subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False).stdout
        for pid in nurseries
    ]
    return [line for output in listing for line in output.split()]


def isolated(path: Path, *, file_name: str = "", settings: ParsingSettings = SETTINGS) -> Parsed | Rejected:
    with parse_isolated(path, file_name=file_name or path.name, settings=settings) as result:
        return result


def rejected(path: Path, settings: ParsingSettings = SETTINGS) -> Rejected:
    result = isolated(path, settings=settings)
    assert isinstance(result, Rejected), result
    return result


def test_result_is_what_the_parser_gives_in_this_process() -> None:
    path = DEMO / "fr" / "circulaire-2024-03-teletravail.pdf"
    assert isolated(path, file_name=path.name, settings=SETTINGS) == parse_here(path, SETTINGS)


def test_name_it_was_handed_in_under_decides_between_kinds_of_text(tmp_path: Path) -> None:
    (tmp_path / "0a1b").write_text("# Guide\n\nTexte du guide pour tous.")
    result = isolated(tmp_path / "0a1b", file_name="guide.md", settings=SETTINGS)
    assert isinstance(result, Parsed)
    assert result.media_type == "text/markdown"


def test_several_threads_get_their_own_results(tmp_path: Path) -> None:
    results: dict[int, str] = {}

    def read(number: int) -> None:
        path = tmp_path / f"{number}.txt"
        path.write_text(f"Document numéro {number}.")
        result = isolated(path, file_name=path.name, settings=SETTINGS)
        results[number] = result.text if isinstance(result, Parsed) else result.message

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"Document numéro {number}." for number in range(4)}


def test_too_much_time_is_reported_and_everything_it_started_is_ended() -> None:
    path = DEMO / "fr" / "note-1996-salle-lecture-archives.pdf"
    result = rejected(path, replace(SETTINGS, wall_s=0.3))
    assert result.category == "timed_out"
    assert "0.3 seconds" in result.message
    assert children_of_nurseries() == []


def test_too_much_processor_time_is_reported(tmp_path: Path) -> None:
    big = tmp_path / "a.txt"
    big.write_text("Alinéa.\n\n" * 2_000_000)
    assert rejected(big, replace(SETTINGS, cpu_s=1)).category == "timed_out"


def test_too_much_memory_is_reported(tmp_path: Path) -> None:
    big = tmp_path / "a.txt"
    big.write_text("mot " * 10_000_000)
    assert rejected(big, replace(SETTINGS, memory_bytes=30_000_000)).category == "out_of_memory"


def test_too_much_output_is_reported(tmp_path: Path) -> None:
    big = tmp_path / "a.txt"
    big.write_text("mot " * 1_000_000)
    assert rejected(big, replace(SETTINGS, output_bytes=100_000)).category in ("damaged", "crashed", "too_large")


def test_too_large_and_empty_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mot")
    (tmp_path / "b.pdf").write_bytes(b"")
    assert rejected(tmp_path / "a.txt", replace(SETTINGS, max_file_bytes=2)).category == "too_large"
    assert rejected(tmp_path / "b.pdf").category == "empty_file"


def test_child_that_is_killed_is_a_rejection_and_the_next_document_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Un texte.")
    path = DEMO / "fr" / "note-1996-salle-lecture-archives.pdf"

    def kill_child() -> None:
        for pid in children_of_nurseries_of(lost):
            os.kill(pid, 11)

    lost = isolated(tmp_path / "a.txt", file_name="a.txt", settings=SETTINGS) and isolation._idle[-1]._process.pid
    timer = threading.Timer(0.5, kill_child)
    timer.start()
    result = isolated(path, file_name=path.name, settings=SETTINGS)
    timer.join()
    assert isinstance(result, Rejected)
    assert result.category == "crashed"
    assert isinstance(isolated(tmp_path / "a.txt", file_name="a.txt", settings=SETTINGS), Parsed)


def children_of_nurseries_of(nursery: int) -> list[int]:
    output = subprocess.run(
        ["ps", "--ppid", str(nursery), "-o", "pid="], capture_output=True, text=True, check=False
    ).stdout
    return [int(pid) for pid in output.split()]


def test_service_of_low_priority_reads_documents_all_the_same(tmp_path: Path) -> None:
    """Nobody may raise a priority without a right to, and the nursery has none."""
    note = tmp_path / "note.txt"
    note.write_text("Le maire signe l'arrêté.", encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from ingest.isolation import parse_isolated, close\n"
        "from ingest.parsing import Parsed, ParsingSettings\n"
        "with parse_isolated(Path(sys.argv[1]), file_name='note.txt', settings=ParsingSettings()) as result:\n"
        "    assert isinstance(result, Parsed), result\n"
        "close()\n"
    )
    subprocess.run(["nice", "-n", "19", sys.executable, "-c", code, note], check=True, timeout=120)


def test_nursery_that_is_lost_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Un texte.")
    assert isinstance(isolated(tmp_path / "a.txt", file_name="a.txt", settings=SETTINGS), Parsed)
    for nursery in isolation._idle:
        nursery._process.kill()
        nursery._process.wait()
    while isolation._idle:
        isolated(tmp_path / "a.txt", file_name="a.txt", settings=SETTINGS)
        if isolation._idle and isolation._idle[-1]._process.poll() is None:
            break
    assert isinstance(isolated(tmp_path / "a.txt", file_name="a.txt", settings=SETTINGS), Parsed)


NETWORK = """
import ctypes, socket, sys
from ingest.confinement import _filter_sockets, leave_the_network, refuse_network
guard = sys.argv[1]
if guard == "namespace":
    assert leave_the_network()
elif guard == "seccomp":
    assert _filter_sockets()
else:
    sys.addaudithook(refuse_network)
try:
    with socket.create_connection(("127.0.0.1", int(sys.argv[2]))):
        sys.exit("a parser reached the network")
except OSError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("guard", ["namespace", "seccomp", "hook"])
def test_each_guard_alone_keeps_a_child_off_the_network(guard: str) -> None:
    if guard not in {"namespace": in_force()["network"], "seccomp": in_force()["network"]}.get(guard, "hook"):
        pytest.skip(f"this kernel offers no {guard}")
    root = Path(__file__).resolve().parents[2]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        run = subprocess.run(
            [isolation.sys.executable, "-c", NETWORK, guard, port],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    assert run.stdout


OTHER_WAYS = """
import socket, sys
from ingest.confinement import _filter_sockets, refuse_network
_filter_sockets() if sys.argv[1] == "seccomp" else sys.addaudithook(refuse_network)
for family in (socket.AF_VSOCK, socket.AF_PACKET, socket.AF_NETLINK, socket.AF_TIPC, socket.AF_INET, 43):
    try:
        socket.socket(family, socket.SOCK_DGRAM)
    except PermissionError:
        continue
    except OSError as error:
        print(family, "is not in this kernel", error) if sys.argv[1] == "seccomp" else sys.exit(f"{family}: asked the kernel")
        continue
    sys.exit(f"a parser made a socket of family {family}")
lookups = (lambda: socket.gethostbyname("localhost"), lambda: socket.gethostbyaddr("127.0.0.1"),
           lambda: socket.getnameinfo(("127.0.0.1", 80), 0))
for look_up in lookups if sys.argv[1] == "hook" else ():
    try:
        look_up()
    except PermissionError:
        continue
    sys.exit("a parser looked up a name")
socket.socketpair()[0].close()
print("held back")
"""


@pytest.mark.parametrize("guard", ["seccomp", "hook"])
def test_a_child_makes_no_socket_but_a_local_one_and_looks_up_no_name(guard: str) -> None:
    if guard == "seccomp" and guard not in in_force()["network"]:
        pytest.skip(f"this kernel offers no {guard}")
    command = [isolation.sys.executable, "-c", OTHER_WAYS, guard]
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert run.stdout.endswith("held back\n"), run.stderr


RESULT = Parsed(
    title="Ti\u0301tre", language="fr", date=None, media_type="text/plain", text="Été 𝒳", parser="p", warnings=("w",),
    pages=(Page(1, Span(0, 5), 10.0, 20.0, (Word(Span(0, 3), Box(0.1, 0.2, 0.3, 0.4)),)),),
    blocks=(Block(Span(0, 5), BlockKind.PARAGRAPH),),
    author="Un préfet", document_type="arrêté", references=("loi n° 2016-1321",),
)  # fmt: skip


def with_attachment(folder: Path, file_name: str = "dossier/a.pdf") -> Parsed:
    place = folder / "attachments"
    place.mkdir(exist_ok=True)
    (place / "1").write_bytes(b"\x00\xff")
    return replace(RESULT, attachments=(Attachment(file_name, place / "1", 'title = "x"', own_label=True),))


def test_result_survives_the_way_back(tmp_path: Path) -> None:
    archive = replace(with_attachment(tmp_path), text="", pages=(), blocks=(), container=True)
    for result in (with_attachment(tmp_path), archive, Rejected("damaged", "reason", 3), Rejected("no_text", "reason")):
        write_result(result, tmp_path / "r.json")
        assert read_result(tmp_path / "r.json") == result


WORD = [3, 5, 0, 0, 1, 1]


def page(start: object, end: object, *words: object, width: object = 1) -> list[object]:
    return [1, start, end, width, 1, "ocr", 1, list(words), []]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("text", "", "no text"),
        ("text", "!! ..", "no text"),
        ("text", 3, "int where text belongs"),
        ("title", 3, "int where text belongs"),
        ("container", True, "an archive with a text of its own"),
        ("references", [3], "int where text belongs"),
        ("pages", [page(0, 4)], "tile"),
        ("pages", [page(0, 3), page(2, 5)], "tile"),
        ("pages", [page(1, 5)], "tile"),
        ("pages", [page(0, 5)[:-1]], "not enough values"),
        ("pages", [page(0.0, 5)], "whole number"),
        ("pages", [page(False, 5)], "whole number"),
        ("pages", [page(0, 5, width=float("nan"))], "number that is none"),
        ("pages", [page(0, 5, [3, 5, 0, 0, 1, float("inf")])], "number that is none"),
        ("pages", [page(0, 3, WORD), page(3, 5)], "a word lies outside"),
        ("pages", [page(0, 3), page(3, 5, [2, 4, 0, 0, 1, 1])], "a word lies outside"),
        ("blocks", [[0, 99, "paragraph", 0]], "out of order"),
        ("blocks", [[0, 3, "paragraph", 0], [2, 4, "paragraph", 0]], "out of order"),
        ("blocks", [[3, 5, "paragraph", 0], [0, 2, "paragraph", 0]], "out of order"),
        ("blocks", [[2, 2, "paragraph", 0]], "out of order"),
        ("blocks", [["0", 3, "paragraph", 0]], "whole number"),
        ("blocks", [[0, 3, "no such kind", 0]], "no such kind"),
        ("attachments", [["a", "not there", "", False]], "No such file"),
        ("attachments", [["a", "../r.json", "", False]], "not a file of the child's own"),
        ("attachments", [["a", "link", "", False]], "not a file of the child's own"),
        ("attachments", [["a", "pipe", "", False]], "not a file of the child's own"),
        ("attachments", [["a", "folder", "", False]], "not a file of the child's own"),
        ("attachments", [["a", ".", "", False]], "not a file of the child's own"),
    ],
)
def test_result_that_is_not_well_formed_is_refused(tmp_path: Path, key: str, value: object, said: str) -> None:
    file = tmp_path / "r.json"
    write_result(with_attachment(tmp_path), file)
    (tmp_path / "attachments" / "link").symlink_to("/etc/hostname")
    (tmp_path / "attachments" / "folder").mkdir()
    os.mkfifo(tmp_path / "attachments" / "pipe")
    file.write_text(json.dumps({**json.loads(file.read_text()), key: value}))
    with pytest.raises(ValueError, match=f"^not a parser's result: .*{said}"):
        read_result(file)


def test_attachments_in_a_folder_that_is_a_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    write_result(with_attachment(tmp_path / "elsewhere"), tmp_path / "r.json")
    (tmp_path / "attachments").symlink_to(tmp_path / "elsewhere" / "attachments")
    with pytest.raises(ValueError, match="not a file of the child's own"):
        read_result(tmp_path / "r.json")


@pytest.mark.parametrize("key", ["pages", "blocks"])
def test_archive_with_pages_or_blocks_of_its_own_is_refused(tmp_path: Path, key: str) -> None:
    write_result(replace(RESULT, text="", pages=(), blocks=(), container=True), tmp_path / "r.json")
    table = json.loads((tmp_path / "r.json").read_text())
    table[key] = [page(0, 0)] if key == "pages" else [[0, 1, "paragraph", 0]]
    (tmp_path / "r.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match="an archive with a text of its own"):
        read_result(tmp_path / "r.json")


@pytest.mark.parametrize("name", ["../../x/a.pdf", "/x/a.pdf", "..\\x\\a.pdf", "./x//a.pdf"])
def test_attachment_name_cannot_lead_out_of_a_folder(tmp_path: Path, name: str) -> None:
    write_result(with_attachment(tmp_path, name), tmp_path / "r.json")
    result = read_result(tmp_path / "r.json")
    assert isinstance(result, Parsed)
    assert result.attachments[0].file_name == "x/a.pdf"


def reading(path: Path, ended: list[object]) -> tuple[threading.Thread, int]:
    """A thread that reads `path` and puts what came of it into `ended`; the child that does it, stopped in the middle."""

    def read() -> None:
        try:
            ended.append(isolated(path))
        except ServiceUnavailable as error:
            ended.append(error)

    isolated(path.parent / "short.txt")  # a nursery waits
    nursery = isolation._idle[-1]._process.pid
    thread = threading.Thread(target=read)
    thread.start()
    children = Path(f"/proc/{nursery}/task/{nursery}/children")
    while not children.read_text().split():
        assert not ended, ended
    child = int(children.read_text().split()[0])
    os.kill(child, signal.SIGSTOP)
    return thread, child


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def long_text(tmp_path: Path) -> Path:
    (tmp_path / "short.txt").write_text("Un texte.", encoding="utf-8")
    file = tmp_path / "long.txt"
    file.write_text("Le maire signe un arrêté de circulation. " * 40_000, encoding="utf-8")
    return file


def test_parser_that_hangs_when_the_service_stops_is_ended_and_the_file_is_not_at_fault(long_text: Path) -> None:
    ended: list[object] = []
    thread, child = reading(long_text, ended)
    isolation.break_off()
    thread.join(timeout=30)
    assert isinstance(ended[0], ServiceUnavailable)
    deadline = time.monotonic() + 30
    while runs(child):
        assert time.monotonic() < deadline
    assert isinstance(isolated(long_text), Parsed)


def test_signals_that_ask_the_service_to_stop_do_not_make_a_file_a_broken_one(long_text: Path) -> None:
    """systemd sends SIGTERM to every process of a service, the parsers among them."""
    ended: list[object] = []
    thread, child = reading(long_text, ended)
    nursery = int(Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[1])
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        os.kill(nursery, number)
        os.kill(child, number)
    os.kill(child, signal.SIGCONT)
    thread.join(timeout=60)
    assert isinstance(ended[0], Parsed), ended
