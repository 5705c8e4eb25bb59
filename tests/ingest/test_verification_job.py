"""The check of the stores in the background: one at a time, its report kept, ended with the service."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import Conflict, ServiceUnavailable
from assistant.ingestion import Inconsistency, Verification, VerificationReport
from ingest.verification import Interrupted
from ingest.verification_job import VerificationJob

FOUND = Inconsistency("index differs", "d1", "the index holds 1 passages", "published again from the archive")
REPORT = VerificationReport("2026-11-23T05:00:00+00:00", 1.5, 3, {"done": 3}, True, 9, 9, 3, 3, 3, 1, 0, (FOUND,))


class HeldVerifier:
    """Checks nothing, for as long as it is held; then says REPORT, or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.held, self.error = threading.Event(), error

    def verify(self, *, mend: bool, until: Callable[[], bool] = lambda: False) -> VerificationReport:
        while not self.held.wait(0.01):
            if until():
                raise Interrupted("told to end")
        if self.error:
            raise self.error
        return REPORT


def finished(job: VerificationJob) -> Verification:
    assert job._thread is not None
    job._thread.join(20)
    present = job.present()
    assert present is not None
    return present


def test_check_is_told_while_it_goes_on_and_its_report_outlives_the_service(tmp_path: Path) -> None:
    verifier, file = HeldVerifier(), tmp_path / "verification.json"
    job = VerificationJob(verifier, file)  # type: ignore[arg-type]  # a real small implementation
    assert job.present() is None
    begun = job.start("amina", ["public", "secret"], mend=True)
    assert (begun.by, begun.finished_at, job.present()) == ("amina", "", begun)
    with pytest.raises(Conflict):
        job.start("boris", ["public"], mend=False)
    verifier.held.set()
    ended = finished(job)
    assert (ended.report, ended.started_at, ended.by, bool(ended.finished_at)) == (
        REPORT,
        begun.started_at,
        "amina",
        True,
    )
    again = VerificationJob(HeldVerifier(), file)  # type: ignore[arg-type]
    assert (again.present(), again.labels()) == (ended, {"public", "secret"})


def test_check_that_ends_with_the_service_leaves_the_report_before_it(tmp_path: Path) -> None:
    verifier, file = HeldVerifier(), tmp_path / "verification.json"
    verifier.held.set()
    job = VerificationJob(verifier, file)  # type: ignore[arg-type]
    job.start("amina", ["public"], mend=True)
    before = finished(job)
    verifier.held.clear()
    job.start("boris", ["public", "secret"], mend=True)
    assert job.labels() == {"public", "secret"}
    job.stop()
    assert job.present() == before
    assert VerificationJob(HeldVerifier(), file).present() == before  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        job.start("amina", ["public"], mend=True)


@pytest.mark.parametrize(
    ("error", "said"),
    [(ServiceUnavailable("the disk is away"), "the disk is away"), (ValueError("q"), "something went wrong")],
)
def test_check_that_breaks_off_says_why(tmp_path: Path, error: Exception, said: str) -> None:
    verifier = HeldVerifier(error)
    verifier.held.set()
    job = VerificationJob(verifier, tmp_path / "verification.json")  # type: ignore[arg-type]
    job.start("amina", ["public"], mend=True)
    ended = finished(job)
    assert (ended.report, ended.problem.startswith(said), bool(ended.finished_at)) == (None, True, True)


def test_report_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    file = tmp_path / "verification.json"
    file.write_text('{"verification": {"report": {}}, "labels": []}', encoding="utf-8")
    assert VerificationJob(HeldVerifier(), file).present() is None  # type: ignore[arg-type]
