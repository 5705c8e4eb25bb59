"""Composition root: settings → objects. The only place that picks classes."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assistant.access import Label, Principal
from assistant.across import Bridges, Likeness
from assistant.adaptation.changing import Generation, ModelInUse
from assistant.adaptation.models import BASE, ModelStore
from assistant.adaptation.rebuilding import ChangingIndex
from assistant.answering import Assistant
from assistant.archive import Archive
from assistant.audit import AuditLog
from assistant.caution import Cautious, Verifying
from assistant.comparing import Comparing
from assistant.config import Settings
from assistant.conversations import Conversations
from assistant.embedding import Embedder, LazyEmbedder
from assistant.endpoints import ModelRouter, endpoints_of
from assistant.errors import ConfigurationError, InstanceBusy
from assistant.evaluation.gold import GoldQuestions
from assistant.evaluation.gold_runs import GoldRuns
from assistant.followups import FollowUps
from assistant.generation import QuoteGenerator
from assistant.grounding import Verifier
from assistant.index import PassageIndex
from assistant.index.edge import EdgePassageIndex
from assistant.ingestion import Ingestion, OpenIngestion
from assistant.installed import part
from assistant.lexical import Lexicon
from assistant.model_answers import Composer
from assistant.packaged_encoder import packaged_encoder_folder
from assistant.prompting import PROMPTS, Prompts
from assistant.relevance import SentenceRelevance
from assistant.reranking import CrossEncoderEntailment, CrossEncoderReranker
from assistant.retrieval import Calibration, Retriever
from assistant.scope import Scope
from assistant.sessions import LocalKeySignIn, SignIn
from assistant.summaries import PROMPTS as SUMMARY_PROMPTS
from assistant.summaries import Summaries
from assistant.types import Answer, Evidence

_LOG = logging.getLogger(__name__)

DocumentsWithin = Callable[[Scope, Principal], Collection[str]]
"""The ids of the documents in a scope that a principal may know of."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One running instance."""

    settings: Settings
    archive: Archive
    audit: AuditLog
    index: PassageIndex
    models: ModelStore
    model: ModelInUse
    ingestion: Ingestion
    conversations: Conversations
    followups: FollowUps
    gold: GoldQuestions
    gold_runs: GoldRuns
    sign_in: SignIn
    summaries: Summaries
    router: ModelRouter | None
    """The language models; None when the instance names none, and answers are quotations."""

    @property
    def embedder(self) -> Embedder:
        """The encoder in use."""
        return self.model.current.embedder

    @property
    def retriever(self) -> Retriever:
        """Finds evidence with the encoder in use. Take it once for a question."""
        return self.model.current.retriever

    @property
    def comparing(self) -> Comparing:
        """Says what changed between versions."""
        return Comparing(self.archive, self.audit)

    @property
    def assistant(self) -> Assistant:
        """Answers with the encoder in use. Take it once for a question."""
        return self.model.current.assistant

    def warm_up(self) -> None:
        """Load the encoder, and the words of the check, in the background, so that the first question does not wait for them."""
        threading.Thread(target=self.embedder.embed_query, args=("bonjour",), name="warm-up", daemon=True).start()
        if self.router:
            languages = self.settings.instance.languages
            threading.Thread(target=_load_check, args=(languages,), name="warm-up of the check", daemon=True).start()
        self.archive.warm_up()
        self.conversations.start()

    def close(self) -> None:
        """Stop the work and close every store."""
        if self.router:
            self.router.close()
        self.model.stop()
        self.ingestion.stop()
        self.gold_runs.close()
        self.index.close()
        self.gold.close()
        self.conversations.close()
        self.archive.close()
        self.audit.close()


_SERVICE = "service"
"""Beside the process's number in the lock file."""


@contextmanager
def opened(settings: Settings, *, for_service: bool = False) -> Iterator[Parts]:
    """The parts of this instance, held exclusively for the length of the block.

    `for_service` says to other commands that they had better wait for this process, which will serve them. Raises InstanceBusy
    when another process holds the data folder, ConfigurationError when a part cannot be opened.
    """
    with _exclusive(settings.home, _SERVICE if for_service else "command"):
        parts = _parts(settings)
        try:
            yield parts
        finally:
            parts.close()


@contextmanager
def opened_retriever(settings: Settings) -> Iterator[Retriever]:
    """A retriever over this instance's index, without calibration and hence for features only; held exclusively.

    Raises InstanceBusy when another process holds the data folder.
    """
    with _exclusive(settings.home):
        models = ModelStore(settings.home)
        active = models.active(base_folder(settings))
        embedder = embedder_of(settings, active.folder if active else base_folder(settings))
        index = _index_of(settings, embedder, models.index_folder(active.name if active else BASE))
        try:
            yield retriever_over(index, settings, embedder, Calibration({}))
        finally:
            index.close()


def discard_index(settings: Settings) -> int:
    """Delete the index; it is made anew from the archive at the next start. How many bytes of disk that freed.

    Raises InstanceBusy when another process holds the data folder.
    """
    with _exclusive(settings.home):
        folder = settings.home / "index"
        before = _disk_usage(folder)
        ModelStore(settings.home).discard_other_indexes(name="")
        return before - _disk_usage(folder)


def _disk_usage(folder: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def base_folder(settings: Settings) -> Path:
    """The folder of the configured encoder. Raises ConfigurationError when it is not there."""
    folder = settings.embedding.path or packaged_encoder_folder()
    if not (folder / "config.json").is_file():
        raise ConfigurationError(
            f"{settings.file}: embedding.path {str(folder)!r} is not a model folder (no config.json in it)"
        )
    return folder


def encoder_folder(settings: Settings) -> Path:
    """The folder of the encoder in use: the configured one, or one that was adapted from it."""
    base = base_folder(settings)
    adapted = ModelStore(settings.home).active(base)
    return adapted.folder if adapted else base


def embedder_of(settings: Settings, folder: Path | None = None) -> LazyEmbedder:
    """The encoder in use, or that in `folder`, loaded at its first use."""
    return LazyEmbedder(
        folder or encoder_folder(settings),
        dense_weights={str(language): weight for language, weight in settings.embedding.dense_weights.items()},
        threads=settings.embedding.threads,
    )


def verifier_of(settings: Settings) -> Verifying:
    """The check of composed sentences against their passages, with the configured inference model if there is one.

    Raises ConfigurationError when its folder is not one.
    """
    folder = settings.grounding.entailment
    return Cautious(Verifier(CrossEncoderEntailment(folder) if folder else None))


def lexicon_of(settings: Settings) -> Lexicon:
    """How the instance's languages are cut into terms."""
    return Lexicon(settings.instance.languages)


def reranker_of(settings: Settings) -> CrossEncoderReranker | None:
    """The configured cross-encoder, loaded at its first question; None where none is configured.

    Raises ConfigurationError when its folder is not one.
    """
    folder = settings.retrieval.reranker
    return CrossEncoderReranker(folder, threads=settings.embedding.threads) if folder else None


def retriever_over(
    index: PassageIndex,
    settings: Settings,
    embedder: Embedder,
    calibration: Calibration,
    *,
    documents_within: DocumentsWithin | None = None,
) -> Retriever:
    """The configured retrieval over an index: what readers get, and what evaluations measure."""
    return Retriever(
        index,
        embedder,
        lexicon_of(settings),
        calibration,
        reranker=reranker_of(settings),
        reranker_depth=settings.retrieval.reranker_depth,
        reranker_weight=settings.retrieval.reranker_weight,
        bridges=Bridges(embedder, settings.instance.languages),
        documents_within=documents_within,
    )


def _parts(settings: Settings) -> Parts:
    home = settings.home
    archive = Archive(home / "archive")
    audit = AuditLog(home / "audit.db")
    models = ModelStore(home)
    router = router_of(settings)
    verifier = verifier_of(settings)
    composer = composer_of(router, verifier, settings.models.prompts or PROMPTS)

    def documents_within(scope: Scope, principal: Principal) -> frozenset[str]:
        return ingestion.documents_within(scope, principal)

    def made(name: str) -> Generation:
        return _generation(settings, models, name, archive, audit, documents_within, composer)

    active = models.active(base_folder(settings))
    first = made(active.name if active else BASE)
    models.discard_other_indexes(first.name)
    index = ChangingIndex(first.index)
    model = ModelInUse(models, index, first, made, spare_bytes=settings.ingest.least_free_mb * 1024 * 1024)
    open_ingestion: OpenIngestion = part("ingestion")
    gold = GoldQuestions(home / "gold.db", archive)
    conversations = Conversations(home / "conversations", archive, keep_days=settings.conversations.keep_days)
    others = {"gold questions": gold.forget, "conversations": conversations.forget}
    ingestion = open_ingestion(settings, archive, index, lambda: model.current.embedder, others=others)
    in_use = _InUse(model)
    return Parts(
        settings=settings,
        archive=archive,
        audit=audit,
        index=index,
        models=models,
        model=model,
        ingestion=ingestion,
        conversations=conversations,
        followups=FollowUps(router),
        gold=gold,
        gold_runs=GoldRuns(gold, in_use, in_use, index),
        sign_in=LocalKeySignIn(
            home / "keys",
            clearance=Label.parse(settings.access.clearance),
            session_hours=settings.service.session_hours,
        ),
        summaries=Summaries(
            index,
            archive,
            audit,
            lexicon_of(settings).query_terms,
            composer=composer_of(router, verifier, SUMMARY_PROMPTS),
            ocr_confidence=settings.ingest.ocr_confidence,
        ),
        router=router,
    )


def _load_check(languages: Sequence[str]) -> None:
    """Have the check read its word lists: 0.1 s for each language on a busy machine."""
    for language in languages:
        Verifier().check("Le délai est de 30 jours.", language, ("Le délai est de trente jours.",))


def _index_of(settings: Settings, embedder: Embedder, folder: Path) -> EdgePassageIndex:
    return EdgePassageIndex.open(
        folder,
        embedder_fingerprint=embedder.fingerprint,
        dimension=embedder.dimension,
        exact_below=settings.retrieval.exact_below,
    )


def router_of(settings: Settings) -> ModelRouter | None:
    """The way to the language models of the instance; None when it names none."""
    endpoints = endpoints_of(settings)
    return ModelRouter(endpoints, wait_s=settings.models.wait_s) if endpoints else None


def composer_of(router: ModelRouter | None, verifier: Verifying, prompts: Path) -> Composer | None:
    """Has these models compose answers that are checked; None without models.

    Raises ConfigurationError when the prompts cannot be read.
    """
    return Composer(router, verifier, Prompts.load(prompts)) if router else None


def _generation(
    settings: Settings,
    models: ModelStore,
    name: str,
    archive: Archive,
    audit: AuditLog,
    documents_within: DocumentsWithin,
    composer: Composer | None,
) -> Generation:
    """Everything that belongs to one encoder; its index is opened, and made when there is none."""
    folder = base_folder(settings) if name == BASE else models.model(name).folder
    embedder = embedder_of(settings, folder)
    calibration = Calibration.load(settings.retrieval.calibration)
    index = _index_of(settings, embedder, models.index_folder(name))
    retriever = retriever_over(index, settings, embedder, calibration, documents_within=documents_within)
    assistant = Assistant(
        retriever,
        archive,
        QuoteGenerator(SentenceRelevance(lexicon_of(settings)).score),
        audit,
        composer=composer,
        abroad=QuoteGenerator(Likeness(embedder).score, max_sentences=2, share_of_best=1.0),
        passages=settings.retrieval.passages,
        ocr_confidence=settings.ingest.ocr_confidence,
    )
    return Generation(name, embedder, index, retriever, assistant)


class _InUse:
    """Asks and searches with the encoder that is in use at the moment."""

    def __init__(self, model: ModelInUse) -> None:
        self._model = model

    def ask(self, question: str, principal: Principal, *, language: str | None = None) -> Answer:
        """See `Assistant`."""
        return self._model.current.assistant.ask(question, principal, language=language)

    def evidence(self, question: str, language: str | None, principal: Principal, *, k: int) -> Evidence:
        """See `Retriever`."""
        return self._model.current.retriever.evidence(question, language, principal, k=k)


@contextmanager
def _exclusive(home: Path, as_what: str = "command") -> Iterator[None]:
    """Hold the data folder for this process alone; the kernel lets go of it when the process dies, however it dies."""
    file = home / "lock"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)  # originals lie in it as they came, and every key
        lock = file.open("a+", encoding="ascii")
    except OSError as error:
        raise ConfigurationError(f"{home}: cannot be written ({error.strerror}); check the folder's rights") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise _busy(home, *lock.read().split()[:2]) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()} {as_what}")
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _busy(home: Path, process: str = "unknown", as_what: str = "") -> InstanceBusy:
    if as_what == _SERVICE:
        return InstanceBusy(
            f"{home}: in use by its service (process {process}); stop that one before you start another. While it does not"
            " answer, it is starting or stopping: try again when it says that it is ready, or when it has ended",
            by_service=True,
        )
    return InstanceBusy(
        f"{home}: in use by another command (process {process}); wait until it has finished, or start the service with"
        " `assistant serve` and let commands talk to it"
    )
