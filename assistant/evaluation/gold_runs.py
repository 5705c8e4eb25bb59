"""Asking an archivist's gold questions: what was found and cited for each, and whether it was said when nothing answers.

A run works in a thread of its own, behind readers: it lets each of their questions go first, and its own hold no ingestion up. It
belongs to exactly the principal who began it, and is kept until that principal's next one or until the service stops. What
is kept are ids and yes or no, so that it holds no word of a document that is erased meanwhile.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from assistant.access import Principal
from assistant.errors import AssistantError, Conflict, InvalidRequest, NotFound
from assistant.evaluation.answers import OURS, measure_answers
from assistant.evaluation.gold import GoldQuestion, GoldQuestions, relevant_passages
from assistant.index import PassageIndex
from assistant.precedence import QUESTIONS, work_in_background
from assistant.types import Answer, Evidence

_LOG = logging.getLogger(__name__)
_FOUND_AMONG = 10
"""Passages among which the right one counts as found."""
_PATIENCE_S = 30.0
"""How long one question of a run waits at most for those of readers."""
_STOPS_WITHIN_S = 20.0


class Asked(Protocol):
    """What a run needs of answering."""

    def ask(self, question: str, principal: Principal, *, language: str | None = None) -> Answer:
        """The finished answer."""
        ...


class Searched(Protocol):
    """What a run needs of retrieval."""

    def evidence(self, question: str, language: str | None, principal: Principal, *, k: int) -> Evidence:
        """The passages that may answer, best first."""
        ...


@dataclass(frozen=True, slots=True)
class GoldResult:
    """What became of one question. None: does not apply to it."""

    id: str
    language: str
    answerable: bool
    right: bool
    """The words are in the answer and their place is cited; of a question that nothing answers: that was said."""
    rank: int | None
    """1-based, of the first passage that answers, among the ten best; None when it is not among them."""
    document: bool | None
    page: bool | None
    words: bool | None
    abstained: bool
    cited: tuple[tuple[str, int | None], ...]
    """Document id and page of each citation, in their order, each once."""


@dataclass(frozen=True, slots=True)
class GoldTotal:
    """How many questions of a language, or of all, came out how."""

    language: str
    """Empty: of all."""
    questions: int
    right: int
    answerable: int
    found: int
    document: int
    paged: int
    """Answerable questions whose page is known."""
    page: int
    words: int
    abstained_wrongly: int
    unanswerable: int
    abstained_rightly: int


@dataclass(frozen=True, slots=True)
class GoldRun:
    """How far a run is, and what it found."""

    started_at: str
    of: int
    """Questions to ask."""
    done: int = 0
    finished_at: str = ""
    """Empty while it goes on."""
    stopped: bool = False
    problem: str = ""
    """Why it broke off; empty when it did not."""
    results: tuple[GoldResult, ...] = ()
    """One for each question asked; after a run of some, also those of the others from before."""

    def totals(self) -> tuple[GoldTotal, ...]:
        """Of all questions first, then of each language that has some."""
        languages = dict.fromkeys(result.language for result in self.results)
        groups = [("", self.results)]
        groups += [(each, tuple(r for r in self.results if r.language == each)) for each in sorted(languages)]
        return tuple(_total(language, results) for language, results in groups)


@dataclass
class _Going:
    """A run as its thread writes it."""

    run: GoldRun
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class GoldRuns:
    """The runs of one instance: at most one for each archivist, one after the other."""

    def __init__(self, gold: GoldQuestions, assistant: Asked, retriever: Searched, index: PassageIndex) -> None:
        self._gold = gold
        self._assistant = assistant
        self._retriever = retriever
        self._index = index
        self._runs: dict[Principal, _Going] = {}
        self._guard = threading.Lock()
        self._turn = threading.Lock()

    def start(self, principal: Principal, *, only: Collection[str] | None = None) -> GoldRun:
        """Begin to ask the questions this principal may know of, or those of them in `only`.

        Raises Forbidden without the archivist role, Conflict while this principal's last run goes on, InvalidRequest when there
        is no question to ask.
        """
        ids = [question.id for question in self._gold.all(principal) if only is None or question.id in only]
        if not ids:
            raise InvalidRequest("there is no question to ask; write one first")
        with self._guard:
            last = self._runs.get(principal)
            if last and not last.run.finished_at:
                raise Conflict("the questions are being asked already; wait, or stop that first")
            kept = tuple(result for result in last.run.results if result.id not in ids) if last and only else ()
            going = _Going(GoldRun(_now(), len(ids), results=kept))
            self._runs[principal] = going
            going.thread = threading.Thread(
                target=self._work, args=(going, ids, principal), name="gold-questions", daemon=True
            )
            going.thread.start()
        return going.run

    def last(self, principal: Principal) -> GoldRun | None:
        """This principal's last run; None when there was none since the service started."""
        going = self._runs.get(principal)
        return going.run if going else None

    def stop(self, principal: Principal) -> GoldRun | None:
        """Ask the run that goes on, if one does, to end after the question in hand."""
        going = self._runs.get(principal)
        if going:
            going.stop.set()
        return going.run if going else None

    def forget(self, key: str) -> None:
        """Forget what came of a question that is changed or removed."""
        with self._guard:
            for going in self._runs.values():
                results = tuple(result for result in going.run.results if result.id != key)
                going.run = replace(going.run, results=results)

    def close(self) -> None:
        """Stop every run and wait for the questions in hand."""
        for going in list(self._runs.values()):
            going.stop.set()
            if going.thread:
                going.thread.join(_STOPS_WITHIN_S)

    def _work(self, going: _Going, ids: Iterable[str], principal: Principal) -> None:
        work_in_background()
        problem = ""
        try:
            with self._turn:
                for key in ids:
                    QUESTIONS.give_way(_PATIENCE_S)
                    if going.stop.is_set():
                        break
                    result = self._asked(key, principal)
                    with self._guard:
                        results = (*going.run.results, result) if result else going.run.results
                        going.run = replace(going.run, done=going.run.done + 1, results=results)
        except AssistantError as error:
            problem = str(error)
        except Exception:  # the page must hear of it; the log has the details
            _LOG.exception("gold questions could not be asked to the end")
            problem = "something went wrong; the service's log has the details"
        stopped = going.run.done < going.run.of
        with self._guard:
            going.run = replace(going.run, finished_at=_now(), stopped=stopped, problem=problem)

    def _asked(self, key: str, principal: Principal) -> GoldResult | None:
        """One question asked; None when it, or its document, is gone meanwhile."""
        try:
            gold = self._gold.one(key, principal)
            rank = self._rank(gold, principal) if gold.document_id else None
        except NotFound:
            return None
        answer = self._assistant.ask(gold.question, principal, language=gold.language)
        measured = measure_answers([gold.line()], lambda *_: answer, name="")
        (scores,) = measured.systems[OURS].scores.values()
        cited = dict.fromkeys((each.document_id, each.page_number) for each in answer.stated)
        abstained = bool(scores.get("abstained_unanswerable", scores.get("abstained_answerable")))
        if gold.document_id is None:
            return GoldResult(gold.id, gold.language, False, abstained, None, None, None, None, abstained, tuple(cited))
        words, place = bool(scores["span_found"]), bool(scores["citation_recall"])
        page = bool(scores["page_hit"]) if "page_hit" in scores else None
        document = bool(scores["file_hit"])
        right = words and place
        return GoldResult(gold.id, gold.language, True, right, rank, document, page, words, abstained, tuple(cited))

    def _rank(self, gold: GoldQuestion, principal: Principal) -> int | None:
        assert gold.document_id is not None
        passages = self._index.document_passages(gold.document_id, principal)
        wanted = {passage.id for passage in relevant_passages(gold, passages)}
        found = self._retriever.evidence(gold.question, gold.language, principal, k=_FOUND_AMONG).passages
        return next((place for place, scored in enumerate(found, 1) if scored.passage.id in wanted), None)


def _total(language: str, results: Collection[GoldResult]) -> GoldTotal:
    answerable = [result for result in results if result.answerable]
    others = [result for result in results if not result.answerable]
    return GoldTotal(
        language=language,
        questions=len(results),
        right=sum(result.right for result in results),
        answerable=len(answerable),
        found=sum(result.rank is not None for result in answerable),
        document=sum(bool(result.document) for result in answerable),
        paged=sum(result.page is not None for result in answerable),
        page=sum(bool(result.page) for result in answerable),
        words=sum(bool(result.words) for result in answerable),
        abstained_wrongly=sum(result.abstained for result in answerable),
        unanswerable=len(others),
        abstained_rightly=sum(result.abstained for result in others),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
