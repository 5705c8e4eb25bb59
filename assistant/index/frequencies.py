"""In how many passages with each label a term occurs: exact, kept by every write, read from files that the system caches.

The engine would count a term's passages anew for each reader, the longer the more there are. Here each label and term has its
number, and a reader's is the sum over the labels that this reader may read: what a reader may not see is never part of it.

On disk, in one folder: sorted arrays (`runs`) as they were at the last checkpoint, and a journal of what the documents touched
since then held at that moment. The journal is written before the engine is; so after a crash, whatever it did or did not do,
what those documents held is taken away and what the engine holds of them now is added. A checkpoint writes new arrays, begins a
new journal and then names both in `state.json`, in one step.

Not for use while a write is under way: the index holds its lock alone for `apply` and shares it for `of`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.durable import write_json_durably
from assistant.errors import ServiceUnavailable
from assistant.index.journal import Held, HeldByLabel, Journal
from assistant.index.runs import EMPTY, Run, merged, merged_parts, negative, run_of, totals, with_run

_FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What a write changes: counts of terms and of passages by label; `touched` passages go or come."""

    terms: Run
    passages: Mapping[str, int]
    touched: int


class TermFrequencies:
    """Document frequencies by label and term, in `folder`. One process, one writer at a time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._state = folder / "state.json"
        self._generation = 0
        self._numbers: dict[str, int] = {}
        self._passages: Counter[str] = Counter()
        self._runs: tuple[Run, ...] | None = None
        """The arrays of the last checkpoint, and what came since. None: not known."""
        self._journal: Journal | None = None
        self.touched = 0
        """Passages that went or came since the last checkpoint."""

    def of(self, labels: Iterable[str], terms: Iterable[int]) -> dict[int, int]:
        """Term → passages with one of these labels that hold it, terms ascending."""
        runs = self._known()
        wanted = np.unique(np.fromiter(terms, np.uint64))
        numbers = [self._numbers[label] for label in labels if label in self._numbers]
        readable = np.zeros(len(self._numbers), dtype=bool)
        readable[numbers] = True
        return dict(zip(wanted.tolist(), totals(runs, wanted, readable).tolist(), strict=True))

    def passages(self) -> dict[str, int]:
        """Passages by label, of the labels that have any."""
        return {label: number for label, number in self._passages.items() if number}

    def change(self, gone: HeldByLabel, come: HeldByLabel) -> Change:
        """What a write changes that takes `gone` away and brings `come`."""
        terms, passages, touched = EMPTY, Counter[str](), 0
        for sign, held in ((-1, gone), (1, come)):
            for label, part in held.items():
                run = run_of(part.terms, self._number(label))
                terms = merged(terms, run if sign > 0 else negative(run))
                passages[label] += sign * part.passages
                touched += part.passages
        return Change(terms, passages, touched)

    def note(self, document_id: str, held: HeldByLabel) -> None:
        """To be called before a document is touched in the engine, with what it holds there."""
        self._known()
        assert self._journal is not None
        self._journal.note(document_id, held)

    def apply(self, change: Change) -> None:
        """Take a change in that the engine has made."""
        self._runs = (*self._known(), change.terms)
        self._passages.update(change.passages)
        self.touched += change.touched

    def tidy(self) -> None:
        """Merge what came since, so that there is little to look through. While a write waits, not a search."""
        base, *since = self._known()
        kept: tuple[Run, ...] = ()
        for run in since:
            kept = with_run(kept, run)
        self._runs = (base, *kept)

    def recover(self, held_now: Callable[[str], HeldByLabel]) -> bool:
        """Read everything from the disk, and what the touched documents hold now from `held_now`; False when it is not there."""
        self._let_go()
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
            if state["format"] != _FORMAT:
                return False
            self._generation = state["generation"]
            self._numbers = {label: number for number, label in enumerate(state["labels"])}
            self._passages = Counter(state["passages"])
            base = self._base()
        except (OSError, ValueError, KeyError, TypeError):
            return False
        self._journal = Journal(self._file("journal", self._generation))
        self._runs = (base,)
        try:
            while self._journal.found:
                document_id, held = self._journal.found.popitem()
                self.apply(self.change(held, held_now(document_id)))
                self.tidy()
        except BaseException:
            self._let_go()
            raise
        return True

    def rebuild(self, held: Iterable[HeldByLabel]) -> None:
        """Count everything anew: `held` is what the engine holds, in parts of any size."""
        self._let_go()
        self._numbers, self._passages, self._runs = {}, Counter(), (EMPTY,)
        for part in held:
            self.apply(self.change({}, part))
            self.tidy()
        self.checkpoint()

    def checkpoint(self) -> None:
        """Write everything down and begin a new journal. The engine must have put on disk what it was given."""
        base, *since = self._known()
        come = EMPTY
        for run in reversed(since):
            come = merged(come, run)
        generation = self._generation + 1
        with self._file("keys", generation).open("wb") as keys, self._file("counts", generation).open("wb") as counts:
            for part in merged_parts(base, come):
                part.keys.tofile(keys)
                part.counts.tofile(counts)
            os.fsync(keys.fileno())
            os.fsync(counts.fileno())
        self._file("journal", generation).unlink(missing_ok=True)
        journal = Journal(self._file("journal", generation))
        state = {"format": _FORMAT, "generation": generation, "labels": list(self._numbers)}
        write_json_durably(self._state, state | {"passages": self.passages()})
        self._generation = generation
        self._replace_journal(journal)
        self._runs, self.touched = (self._base(),), 0
        self._drop_other_generations()

    def close(self) -> None:
        """Let go of the files."""
        self._let_go()

    def _known(self) -> tuple[Run, ...]:
        if self._runs is None:
            raise ServiceUnavailable("the index's term counts could not be read after a failed write; start again")
        return self._runs

    def _number(self, label: str) -> int:
        return self._numbers.setdefault(label, len(self._numbers))

    def _file(self, name: str, generation: int) -> Path:
        return self._folder / f"{name}-{generation}"

    def _base(self) -> Run:
        """The arrays of the last checkpoint, read when they are looked at."""
        keys, counts = (self._file(name, self._generation) for name in ("keys", "counts"))
        if not keys.stat().st_size:
            return EMPTY
        return Run(np.asarray(np.memmap(keys, np.uint64, "r")), np.asarray(np.memmap(counts, np.int32, "r")))

    def _replace_journal(self, journal: Journal | None) -> None:
        if self._journal is not None:
            self._journal.close()
        self._journal = journal

    def _let_go(self) -> None:
        self._runs, self.touched = None, 0
        self._replace_journal(None)

    def _drop_other_generations(self) -> None:
        for file in self._folder.iterdir():
            if "-" in file.name and not file.name.endswith(f"-{self._generation}"):
                file.unlink()


def held_by_label(passages: Iterable[tuple[str, Iterable[int]]]) -> dict[str, Held]:
    """What passages hold together, from the label and the terms of each."""
    terms: dict[str, list[NDArray[np.uint32]]] = {}
    for label, found in passages:
        terms.setdefault(label, []).append(np.fromiter(found, np.uint32))
    return {label: Held(len(parts), np.concatenate(parts)) for label, parts in terms.items()}
