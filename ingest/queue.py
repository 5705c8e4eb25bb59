"""The durable queue: who works on which document, and who takes over when a worker dies.

The ledger is the register; DBOS hands out the work that the ledger names, remembers the steps that were done, and gives work
back after a crash. One run of one document version is one DBOS workflow with an id of its own, so queueing it twice changes
nothing. What is stored here is ids, paths and hashes, never what a document says.

    accept ──► ledger (on disk) ──► keeper thread ──► DBOS ──► a worker thread ──► ingest.workflow ──► ledger
                     ▲                    │
                     └──── sweep ◄────────┘   what a crash left between two of these is found and queued again

A worker says that it is alive by counting up its row in the ledger. One whose count stands still, by the clock of whoever
looks, is dead, and its workflows are resumed elsewhere at the step that was in hand.

The one module that imports `dbos`, when the queue opens. DBOS calls nobody: no conductor, no telemetry, no admin server.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError, ConfigurationError, InstanceBusy, ServiceUnavailable
from assistant.precedence import work_in_background
from ingest.ledger import Ledger
from ingest.ledger_rows import Task, Ticket
from ingest.side_effects import side_effect

if TYPE_CHECKING:
    import sqlalchemy

    from ingest.workflow import Step

_LOG = logging.getLogger(__name__)
_QUEUE = "documents"
_STEPS_VERSION = "2"
"""Counts up when the order of the steps changes: work begun under another version is begun anew, not resumed."""
_TAKEN_AHEAD = 12
"""Workflows taken beyond those worked on, so that nobody waits for the next look into the queue."""
_LOOK_EVERY_S = 0.25
_AT_WORK = ("PENDING",)
_ASLEEP = ("DELAYED",)
_ACTIVE = ("ENQUEUED", *_ASLEEP, *_AT_WORK)
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_CLEANED_AT_ONCE = 500
_LONGEST_RETRY_S = 300.0
_CLOSING_S = 5.0
"""How long `close` waits for what it has broken off."""
_open_here = threading.Lock()
"""DBOS is one per process."""

Work = Callable[[Task, "Step"], None]


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How the queue runs. `database` is the file of its SQLite database; `url` names PostgreSQL instead."""

    database: Path
    worker: str
    """Stable from start to start, different for each process that shares a database."""
    url: str = ""
    workers: int = 1
    retry_s: float = 2.0
    """Wait before a second attempt; doubled for each further one."""
    heartbeat_s: float = 10.0
    dead_after_s: float = 60.0
    sweep_s: float = 60.0
    patience_s: float = 30.0
    """How long `close` waits for the documents in hand."""


class _Left(BaseException):
    """Ends a workflow without an outcome: it stays pending, and is resumed. Not an Exception, which DBOS would record."""


class _OutOfStep(BaseException):
    """What is to be done differs from what this run recorded before it was interrupted; it has to begin anew."""


class DocumentQueue:
    """Runs `work` on each document that the ledger names, on `workers` threads, until it is settled."""

    def __init__(
        self, ledger: Ledger, work: Work, settings: QueueSettings, *, break_off: Callable[[], None] = lambda: None
    ) -> None:
        """`break_off` ends work that does not end by itself, as far as it can be ended."""
        self._break_off = break_off
        self._ledger = ledger
        self._do_work = work
        self._settings = settings
        self._stop = threading.Event()
        self._room = threading.Semaphore(settings.workers)
        self._at_once = settings.workers + _TAKEN_AHEAD
        self._running: set[str] = set()
        self._begun: dict[str, Task] = {}
        self._overdue: set[str] = set()
        self._suspects: set[str] = set()
        self._seen: dict[str, tuple[int, float]] = {}
        self._troubles: dict[str, str] = {}
        self._tickets: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._keeper = threading.Thread(target=self._keep, name="ingest-keeper", daemon=True)
        self._engine: sqlalchemy.Engine | None = None
        self._worked_at = time.monotonic()
        self._opened = False

    def open(self) -> None:
        """Start working, first on what an earlier process left. Raises InstanceBusy when this process has a queue open."""
        if not _open_here.acquire(blocking=False):
            raise InstanceBusy("this process already works on the documents of an instance; close that one first")
        try:
            # In a thread of its own: DBOS refuses to register a queue where an event loop runs, as in whoever embeds us.
            with ThreadPoolExecutor(1) as launcher:
                launcher.submit(self._launch).result()
        except BaseException as error:
            self._shut_down()
            if type(error).__module__.startswith(("sqlalchemy", "dbos")):
                raise ConfigurationError(
                    f"the queue's database cannot be opened ({_one_line(error)}); check its disk or its server. A damaged"
                    " queue.db may be deleted: the ledger names the work anew"
                ) from error
            raise
        self._opened = True
        self._keeper.start()

    def submit(self, document_id: str) -> None:
        """Queue what the ledger says is to be done for a document. Returns at once; never fails, a sweep comes after it."""
        try:
            ticket = self._ledger.ticket(document_id)
        except AssistantError:
            return
        if ticket is not None:
            self._tickets.put(ticket)

    def trouble(self, document_id: str) -> str:
        """Why work on a document stands still, while not even the ledger can be written; empty when it does not."""
        return self._troubles.get(document_id, "")

    @property
    def idle_s(self) -> float:
        """Seconds since the last document was worked on."""
        return 0.0 if self._running else time.monotonic() - self._worked_at

    def close(self) -> None:
        """Stop after the documents in hand, at most `patience_s`; what is unfinished is taken up at the next start.

        What does not end in that time is broken off, and its attempt counts unless it has read another page: a document that
        keeps the service from stopping each time ends in quarantine.
        """
        self._stop.set()
        self._room.release(self._at_once)
        self._tickets.put(None)
        if not self._opened:
            return
        self._opened = False
        self._wait_for_the_rest(self._settings.patience_s)
        self._overdue = set(self._begun)
        if self._overdue:
            self._break_off()
            self._wait_for_the_rest(_CLOSING_S)
        for name in tuple(self._begun):
            self._give_back(name)
        self._keeper.join(timeout=30)
        with suppress(AssistantError):
            self._ledger.strike_off(self._settings.worker)
        self._shut_down()

    def _wait_for_the_rest(self, most_s: float) -> None:
        deadline = time.monotonic() + most_s
        while self._running and time.monotonic() < deadline:
            time.sleep(0.02)

    # --- DBOS -----------------------------------------------------------------------------------------------------

    def _launch(self) -> None:
        from dbos import DBOS, DBOSConfig

        settings = self._settings
        config: DBOSConfig = {
            "name": "ingest",
            "application_version": _STEPS_VERSION,
            "executor_id": settings.worker,
            "system_database_url": settings.url or f"sqlite:///{settings.database}",
            "serializer": _json_serializer(),
            "max_executor_threads": self._at_once + 4,
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 0.5,
            "scheduler_polling_interval_sec": 3600.0,
            "enable_otlp": False,
            "log_level": "ERROR",
        }
        if not settings.url:
            self._engine = _sqlite_engine(settings.database)
            config["system_database_engine"] = self._engine
        DBOS(config=config)
        _log_as_we_do()

        def document(document_id: str, run: int) -> str:
            return self._document(document_id, run)

        self._workflow = DBOS.workflow(name="document")(document)
        DBOS.launch()
        self._queue = DBOS.register_queue(
            _QUEUE, worker_concurrency=self._at_once, polling_interval_sec=_LOOK_EVERY_S, on_conflict="always_update"
        )

    def _shut_down(self) -> None:
        from dbos import DBOS

        try:
            DBOS.destroy(destroy_registry=True)
        finally:
            if self._engine is not None:
                self._engine.dispose()
            _open_here.release()

    def _document(self, document_id: str, run: int) -> str:
        """The workflow: one run of one document."""
        from dbos import DBOS

        work_in_background()
        name = str(DBOS.workflow_id)
        self._running.add(name)
        try:
            with self._room_to_work():
                self._attempt(name, document_id, run)
        except _Left:
            if self._stop.is_set():
                self._give_back(name)
            raise
        finally:
            self._worked_at = time.monotonic()
            self._begun.pop(name, None)
            self._running.discard(name)
        return document_id

    def _give_back(self, name: str) -> None:
        """Not count an attempt that ended because we closed: only those that end this process unasked are to add up."""
        task = self._begun.pop(name, None)
        if task is not None:
            with suppress(AssistantError):
                self._ledger.give_back(task, if_further=name in self._overdue)

    def _attempt(self, name: str, document_id: str, run: int) -> None:
        try:
            side_effect("ledger.begin")
            task = self._ledger.begin(document_id, run, self._settings.worker)
            if task is not None:
                self._begun[name] = task
                self._do_work(task, self._step)
        except _OutOfStep:
            self._ledger.renew(document_id, run)
        except ServiceUnavailable as error:
            # Not even the ledger can be written. A person who asks is told; the keeper comes back to it.
            self._troubles[document_id] = f"waiting to be tried again: {error}"
            raise _Left from error
        self._troubles.pop(document_id, None)
        self.submit(document_id)

    def _step(self, name: str, work: Callable[[], str]) -> str:
        """See `Step`. Errors of `work` pass through unrecorded; trouble with DBOS's own database leaves the workflow pending.

        So does every error while we close: threads and stores are going, and the document is taken up at the next start.
        """
        from dbos import DBOS
        from dbos import error as dbos_errors

        raised: list[Exception] = []

        def recorded() -> str:
            try:
                return work()
            except Exception as error:
                raised.append(error)
                raise _Left from error

        try:
            if self._stop.is_set():
                raise _Left
            return DBOS.run_step({"name": name}, recorded)
        except _Left:
            if raised and not self._stop.is_set():
                raise raised[0] from None
            raise
        except Exception as error:
            if isinstance(error, dbos_errors.DBOSUnexpectedStepError):
                raise _OutOfStep from error
            _LOG.warning("the queue's database cannot be written (%s); trying again", _one_line(error))
            raise _Left from error

    @contextmanager
    def _room_to_work(self) -> Iterator[None]:
        self._room.acquire()  # `close` makes room for all that wait, so that they see it
        try:
            if self._stop.is_set():
                raise _Left
            yield
        finally:
            self._room.release()

    # --- the keeper -----------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        """Queue what is handed in, say that this worker is alive, and look after what was lost."""
        settings = self._settings
        chores = [
            _Chore(settings.heartbeat_s, lambda: self._ledger.beat(settings.worker)),
            _Chore(settings.sweep_s, self._queue_what_is_missing),
            _Chore(min(settings.heartbeat_s, settings.sweep_s), self._resume_what_was_lost),
            _Chore(settings.sweep_s, self._clean_up),
        ]
        while not self._stop.is_set():
            for chore in chores:
                chore.do_when_due(self._stop)
            with suppress(queue.Empty):
                ticket = self._tickets.get(timeout=min(0.5, settings.sweep_s))
                if ticket is not None and not self._queued(ticket):
                    chores[1].soon(settings.retry_s)

    def _queued(self, ticket: Ticket) -> bool:
        try:
            self._enqueue(ticket)
        except Exception as error:  # whatever stops the queue's database, a sweep finds the document in the ledger
            _LOG.warning("document %s is not queued yet (%s)", ticket.document_id, _one_line(error))
            return False
        return True

    def _enqueue(self, ticket: Ticket) -> None:
        from dbos import SetEnqueueOptions, SetWorkflowID

        side_effect("queue.enqueue")
        wait_s = min(self._settings.retry_s * 2.0 ** max(0, ticket.attempts - 1), _LONGEST_RETRY_S)
        delay = wait_s if ticket.waiting_for_retry and wait_s > 0 else None
        with SetWorkflowID(_workflow_id(ticket)), SetEnqueueOptions(delay_seconds=delay):
            self._queue.enqueue(self._workflow, ticket.document_id, ticket.run)

    def _queue_what_is_missing(self) -> None:
        """Queue every unfinished document of the ledger that is not queued: a crash or a full disk came in between."""
        active = {workflow.workflow_id for workflow in self._workflows(_ACTIVE)}
        self._wake_what_sleeps_too_long()
        for ticket in self._ledger.tickets():
            if self._stop.is_set():
                return
            if _workflow_id(ticket) in active or _workflow_id(ticket) in self._running:
                continue
            ended = self._known(_workflow_id(ticket))
            renewed = self._ledger.renew(ticket.document_id, ticket.run) if ended else ticket
            if renewed is not None:
                self._enqueue(renewed)

    def _wake_what_sleeps_too_long(self) -> None:
        """Have what waits to be tried again not wait for a clock that has been set back: DBOS keeps the hour, not the wait."""
        from dbos import DBOS

        latest_ms = (time.time() + 2 * _LONGEST_RETRY_S) * 1000
        asleep = [
            workflow.workflow_id
            for workflow in self._workflows(_ASLEEP)
            if (workflow.delay_until_epoch_ms or 0) > latest_ms
        ]
        if asleep:
            _LOG.warning("the clock was set back; %d documents that wait to be tried again are tried now", len(asleep))
            DBOS.resume_workflows(asleep, queue_name=_QUEUE)

    def _resume_what_was_lost(self) -> None:
        """Resume what is pending in the hands of nobody: seen twice, since work that was just taken may look like that."""
        from dbos import DBOS

        alive = self._alive()
        lost = {
            workflow.workflow_id
            for workflow in self._workflows(_AT_WORK)
            if workflow.executor_id not in alive and workflow.workflow_id not in self._running
        }
        certain = sorted(lost & self._suspects)
        self._suspects = lost - set(certain)
        if certain:
            _LOG.warning("%d documents were left behind by a worker that stopped; they are taken up", len(certain))
            DBOS.resume_workflows(certain, queue_name=_QUEUE)

    def _alive(self) -> set[str]:
        """The other workers that are alive; those whose count has stood still for too long are struck off."""
        now, beats = time.monotonic(), self._ledger.beats()
        beats.pop(self._settings.worker, None)
        self._seen = {
            worker: self._seen[worker] if self._seen.get(worker, (None,))[0] == count else (count, now)
            for worker, count in beats.items()
        }
        dead = {worker for worker, (_, at) in self._seen.items() if now - at > self._settings.dead_after_s}
        for worker in dead:
            _LOG.warning("worker %s has stopped; its documents are taken over", worker)
            self._ledger.strike_off(worker)
        return set(beats) - dead

    def _clean_up(self) -> None:
        """Forget workflows that have ended: the ledger knows how."""
        from dbos import DBOS

        while ended := self._workflows(_ENDED, limit=_CLEANED_AT_ONCE):
            DBOS.delete_workflows([workflow.workflow_id for workflow in ended])
            if self._stop.is_set() or len(ended) < _CLEANED_AT_ONCE:
                return

    def _workflows(self, states: tuple[str, ...], limit: int | None = None) -> list[Any]:
        from dbos import DBOS

        return DBOS.list_workflows(
            status=list(states), app_version=_STEPS_VERSION, limit=limit, load_input=False, load_output=False
        )

    def _known(self, workflow_id: str) -> bool:
        from dbos import DBOS

        return DBOS.get_workflow_status(workflow_id) is not None


class _Chore:
    """Something the keeper does now and then. Failing, it is done again soon, and said once."""

    def __init__(self, every_s: float, do: Callable[[], None]) -> None:
        self._every_s = every_s
        self._do = do
        self._due = 0.0
        self._failing = False

    def do_when_due(self, stop: threading.Event) -> None:
        """Do it, unless it is not yet time."""
        if time.monotonic() < self._due or stop.is_set():
            return
        self._due = time.monotonic() + self._every_s
        try:
            self._do()
            self._failing = False
        except Exception as error:  # the outermost loop: a disk that is full now must not end the keeper
            if not self._failing:
                _LOG.warning("the queue cannot be looked after (%s); trying again", _one_line(error))
            self._failing = True
            self.soon(2.0)

    def soon(self, wait_s: float) -> None:
        """Do it after `wait_s` seconds, if it would not be done sooner."""
        self._due = min(self._due, time.monotonic() + wait_s)


def _workflow_id(ticket: Ticket) -> str:
    return f"{ticket.document_id}.{ticket.version[:16]}.{ticket.run}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _sqlite_engine(file: Path) -> sqlalchemy.Engine:
    """As DBOS would make it, with a write-ahead log: 3000 instead of 100 documents queued a second.

    What a power cut takes from the end of that log is found again in the ledger, so it need not be flushed each time.
    """
    from sqlalchemy import create_engine, event

    engine = create_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for setting in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}")

    return engine


def _json_serializer() -> Any:
    """Ids and short texts as JSON: what is read back from the database is never unpickled."""
    from dbos import Serializer

    class JsonSerializer(Serializer):
        def serialize(self, data: Any) -> str:
            return json.dumps(data, default=lambda value: type(value).__name__)

        def deserialize(self, serialized_data: str) -> Any:
            return json.loads(serialized_data)

    return JsonSerializer()


def _log_as_we_do() -> None:
    """DBOS prints to the error stream by itself; its errors belong in the service's log, its notices nowhere."""
    logger = logging.getLogger("dbos")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True
