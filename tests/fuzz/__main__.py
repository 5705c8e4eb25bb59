"""Mutates real files for a bounded time and has each read as the service reads it: `python -m tests.fuzz [seed]`.

FUZZ_SECONDS says for how long (120). A lost nursery, a leftover file, a hang, or an exception that no reader expects is a
failure: the mutated file is kept and named, and the exit status is 1.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ingest import isolation
from ingest.confinement import descendants
from ingest.isolation import parse_isolated
from ingest.parsing import Parsed, ParsingSettings

ROOT = Path(__file__).resolve().parents[2]
WORLDS = (ROOT / "configs" / "demo" / "documents", ROOT.parent / "shared" / "data" / "documents")
SETTINGS = ParsingSettings(wall_s=20, cpu_s=20, memory_bytes=1024 * 1024 * 1024)
SLOW_S = SETTINGS.wall_s + 20
BUGS = (
    "AssertionError",
    "AttributeError",
    "IndexError",
    "NameError",
    "NotImplementedError",
    "TypeError",
    "UnboundLocalError",
)
"""Exceptions that are a reader's own mistake, whatever the file is."""


@dataclass
class Tally:
    """What came of the files so far."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    """Fuzz until the time is up; 1 when anything failed."""
    seed = int(arguments[0]) if arguments else random.randrange(2**32)
    limit_s = float(os.environ.get("FUZZ_SECONDS", "120"))
    print(f"seed {seed}, {limit_s:g} seconds", flush=True)
    kept = Path(tempfile.mkdtemp(prefix="fuzz-"))
    files = sorted(file for world in WORLDS for file in world.rglob("*") if file.is_file() and file.suffix != ".toml")
    chance, tally, number = random.Random(seed), Tally(), 0
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        number += 1
        original = chance.choice(files)
        mutated = kept / f"{number}{original.suffix}"
        mutated.write_bytes(mutate(original.read_bytes(), chance))
        complaint = complaint_about(mutated, kept / "work", tally)
        if complaint:
            tally.failures.append(f"{mutated} (from {original.name}): {complaint}")
            print(tally.failures[-1], flush=True)
        else:
            mutated.unlink()
    isolation.close()
    print(f"{number} files: " + ", ".join(f"{count} {name}" for name, count in tally.outcomes.most_common()))
    return 1 if tally.failures else 0


def mutate(content: bytes, chance: random.Random) -> bytes:
    """`content` with a few pieces changed, cut out, doubled, moved or swapped for extreme numbers."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 2, 5, 20, 100))):
        if not data:
            break
        place = chance.randrange(len(data))
        length = min(len(data) - place, chance.choice((1, 2, 4, 16, 256, 4096)))
        match chance.randrange(7):
            case 0:
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                data[place : place + length] = chance.randbytes(length)
            case 2:
                del data[place : place + length]
            case 3:
                data[place:place] = data[place : place + length] * chance.choice((1, 2, 50))
            case 4:
                data[place : place + 4] = chance.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"))
            case 5:
                data[place : place + length] = chance.choice(
                    (b"9" * 10, b"-1", b"<", b"&", b"{", b"\\u-99999", b"\n\n")
                )
            case _:
                if chance.random() < 0.2:
                    del data[place:]
    return bytes(data)


def complaint_about(file: Path, work: Path, tally: Tally) -> str:
    """What went wrong when the file was read, though a file may be as broken as it likes; empty when nothing did."""
    before = isolation._idle[-1] if isolation._idle else None
    settings = ParsingSettings(
        wall_s=SETTINGS.wall_s, cpu_s=SETTINGS.cpu_s, memory_bytes=SETTINGS.memory_bytes, work_folder=work
    )
    began = time.monotonic()
    try:
        with parse_isolated(file, file_name=file.name, settings=settings) as result:
            pass
    except Exception as error:
        return f"parse_isolated raised {type(error).__name__}: {error}"
    tally.outcomes["parsed" if isinstance(result, Parsed) else result.category] += 1
    if time.monotonic() - began > SLOW_S:
        return f"took {time.monotonic() - began:.0f} seconds"
    if list(work.iterdir()):
        return "left a file behind"
    after = isolation._idle[-1] if isolation._idle else None
    if after is None or (before is not None and after is not before):
        return "the nursery was lost"
    if list(descendants(after._process.pid)):
        return "left a process behind"
    if not isinstance(result, Parsed):
        if result.category == "crashed":
            return result.message
        if any(f"({name})" in result.message for name in BUGS):
            return result.message
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
