"""Sorted arrays of numbered counts, and how they are looked up in and merged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LABEL_BITS = np.uint64(32)
_ANY_LABEL = np.uint64(2**32 - 1)
_PART = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """How often what is counted: keys uint64, ascending, each once; counts int32, below zero where something was taken away.

    A key is a term (upper 32 bits) and the number of a label (lower 32), so all labels of a term stand side by side.
    """

    keys: NDArray[np.uint64]
    counts: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.keys)


EMPTY = Run(np.empty(0, np.uint64), np.empty(0, np.int32))


def run_of(terms: NDArray[np.uint32], label: int) -> Run:
    """How often each of `terms` stands there, under this label.

    >>> run_of(np.array([7, 5, 7], np.uint32), 0).counts.tolist()
    [1, 2]
    """
    keys, counts = np.unique(terms.astype(np.uint64) << _LABEL_BITS | np.uint64(label), return_counts=True)
    return Run(keys, counts.astype(np.int32))


def negative(run: Run) -> Run:
    """What takes `run` away again."""
    return Run(run.keys, -run.counts)


def merged(one: Run, other: Run) -> Run:
    """The sums of both, without what sums to nothing.

    >>> both = merged(run_of(np.array([5, 7], np.uint32), 1), negative(run_of(np.array([7, 9], np.uint32), 1)))
    >>> [(key >> 32, count) for key, count in zip(both.keys.tolist(), both.counts.tolist())]
    [(5, 1), (9, -1)]
    """
    large, small = (one, other) if len(one) >= len(other) else (other, one)
    if not len(small):
        return large
    places = large.keys.searchsorted(small.keys)
    known = places < len(large)
    known[known] = large.keys[places[known]] == small.keys[known]
    counts = large.counts.copy()
    counts[places[known]] += small.counts[known]
    come = np.zeros(len(large) + int((~known).sum()), dtype=bool)
    come[places[~known] + np.arange(int((~known).sum()))] = True
    keys, sums = np.empty(len(come), np.uint64), np.empty(len(come), np.int32)
    keys[come], sums[come] = small.keys[~known], small.counts[~known]
    keys[~come], sums[~come] = large.keys, counts
    some = sums != 0
    return Run(keys, sums) if some.all() else Run(keys[some], sums[some])


def merged_parts(base: Run, other: Run) -> Iterator[Run]:
    """`merged`, in parts one after the other, so that it takes little memory however long `base` is."""
    begin = 0
    for start in range(0, max(1, len(base)), _PART):
        part = Run(base.keys[start : start + _PART], base.counts[start : start + _PART])
        following = base.keys[start + _PART : start + _PART + 1]
        end = int(other.keys.searchsorted(following[0])) if len(following) else len(other)
        yield merged(part, Run(other.keys[begin:end], other.counts[begin:end]))
        begin = end


def with_run(runs: tuple[Run, ...], run: Run) -> tuple[Run, ...]:
    """`runs` and one more; each is at least twice as long as the next, so that there are few and each count is seldom moved."""
    found = [*runs, run]
    while len(found) > 1 and len(found[-2]) < 2 * len(found[-1]):
        last = found.pop()
        found[-1] = merged(found[-1], last)
    return tuple(found)


def totals(runs: Sequence[Run], terms: NDArray[np.uint64], readable: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each of `terms`, its counts under those label numbers for which `readable` is true."""
    found = np.zeros(len(terms), np.int64)
    for run in runs:
        first = run.keys.searchsorted(terms << _LABEL_BITS)
        lengths = run.keys.searchsorted(terms << _LABEL_BITS | _ANY_LABEL, side="right") - first
        of_term = np.repeat(np.arange(len(terms)), lengths)
        places = np.arange(len(of_term)) + np.repeat(first - np.cumsum(lengths) + lengths, lengths)
        counted = readable[(run.keys[places] & _ANY_LABEL).astype(np.int64)]
        np.add.at(found, of_term[counted], run.counts[places[counted]])
    return found
