"""What benchmarks have in common: the shape of their figures, percentiles, and the machine they ran on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np

Figures = dict[str, dict[str, dict[str, float]]]
"""Title of a table → row → column → figure."""

_Argument = TypeVar("_Argument")


def milliseconds(work: Callable[[_Argument], object], arguments: Iterable[_Argument]) -> dict[str, float]:
    """p50_ms and p95_ms of `work` over the arguments."""
    taken = []
    for argument in arguments:
        began = time.perf_counter()
        work(argument)
        taken.append((time.perf_counter() - began) * 1000)
    p50, p95 = np.percentile(taken, [50, 95])
    return {"p50_ms": float(p50), "p95_ms": float(p95)}


def machine() -> str:
    """Processor and how many cores this process may use."""
    models = [line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line]
    model = models[0].partition(":")[2].strip() if models else "unknown processor"
    return f"{model}, {len(os.sched_getaffinity(0))} cores"


def memory_mb() -> float:
    """Resident memory of this process now, in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
