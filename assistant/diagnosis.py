"""What is installed, configured and reachable, and how to mend what is wrong."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assistant import egress
from assistant.audit import AuditLog
from assistant.config import Settings
from assistant.database import allowed_url, server_version
from assistant.errors import AssistantError, ConfigurationError, IndexMismatch, ServiceUnavailable
from assistant.installed import part

_TESSERACT_LANGUAGES = {"fr": "fra", "ar": "ara", "en": "eng"}
_LOW_DISK_BYTES = 2 * 1024**3


class Health(StrEnum):
    """How a check ended."""

    GOOD = "good"
    LIMITED = "limited"
    """Works, with something missing; the remedy says what it costs."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was looked at, how it is, and what to do."""

    subject: str
    health: Health
    detail: str
    remedy: str = ""


def findings(settings: Settings) -> tuple[Finding, ...]:
    """Every check, in the order of the list that `assistant doctor` prints. Changes nothing."""
    return (
        _python(),
        *_packages(),
        Finding("instance file", Health.GOOD, str(settings.file)),
        _data_folder(settings),
        _encoder(settings),
        *_across(settings),
        *_reranker(settings),
        *_models(settings),
        *_named_files(settings),
        *_index(settings),
        *_installed_parts(),
        _tesseract(settings),
        _libreoffice(),
        *_database(settings),
        *_confinement(),
        _opt_outs(),
        _guard(settings),
        *_audit(settings),
    )


def missing_parts(settings: Settings) -> tuple[str, ...]:
    """One line for each optional system part that is missing, saying what that costs."""
    finding = _tesseract(settings)
    return (f"{finding.detail}: {finding.remedy}",) if finding.health is Health.LIMITED else ()


def _python() -> Finding:
    running = sys.version.split()[0]
    good = sys.version_info >= (3, 11)
    return Finding(
        "Python", Health.GOOD if good else Health.BROKEN, running, "" if good else "install Python 3.11 or newer"
    )


def _packages() -> Iterator[Finding]:
    for name in (
        "qdrant-edge-py",
        "sentence-transformers",
        "torch",
        "unstructured",
        "streamlit",
        "fastapi",
        "pypdfium2",
    ):
        try:
            yield Finding(name, Health.GOOD, version(name))
        except PackageNotFoundError:
            yield Finding(name, Health.BROKEN, "not installed", "run `make install`")


def _data_folder(settings: Settings) -> Finding:
    home, least_mb = settings.home, settings.ingest.least_free_mb
    # The same places as ingestion asks for room on; the index may lie on a disk of its own.
    existing = {next(f for f in (place, *place.parents) if f.exists()) for place in (home, home / "index")}
    others = stat.S_IMODE(home.stat().st_mode) & 0o007 if home.is_dir() else 0
    free = min(shutil.disk_usage(place).free for place in existing)
    detail = f"{home} ({free / 1024**3:.1f} GB free)"
    if free < max(_LOW_DISK_BYTES, least_mb * 1024 * 1024):
        remedy = f"free some space: under {least_mb} MB (ingest.least_free_mb) documents wait"
        return Finding("data folder", Health.LIMITED, detail, remedy)
    if others:
        remedy = f"whoever may use this machine can read every original and every key in it; run chmod o= {home}"
        return Finding("data folder", Health.LIMITED, detail, remedy)
    return Finding("data folder", Health.GOOD, detail)


def _across(settings: Settings) -> Iterator[Finding]:
    """Whether a question in one language finds documents in another."""
    from assistant.across import Bridges
    from assistant.build import embedder_of

    languages = settings.instance.languages
    if len(languages) < 2:
        return
    try:
        bridges = Bridges(embedder_of(settings), languages)
        missing = [f"{language} → {other}" for language in languages for other in bridges.out_of_reach(language)]
    except AssistantError:
        return  # the encoder's own finding says what is wrong
    if missing:
        remedy = "only words that both share match there; set embedding.path to a multilingual encoder"
        yield Finding("across languages", Health.LIMITED, f"not found by meaning: {', '.join(missing)}", remedy)
    else:
        yield Finding("across languages", Health.GOOD, f"questions find documents in {', '.join(languages)}")


def _reranker(settings: Settings) -> Iterator[Finding]:
    from assistant.build import reranker_of

    folder = settings.retrieval.reranker
    if folder is None:
        return
    try:
        reranker_of(settings)
        yield Finding("reranker", Health.GOOD, str(folder))
    except AssistantError as error:
        yield Finding("reranker", Health.BROKEN, str(folder), str(error))


def _models(settings: Settings) -> Iterator[Finding]:
    """Each model endpoint, asked now."""
    from assistant.endpoints import endpoints_of, examined

    try:
        described = endpoints_of(settings)
    except ConfigurationError as error:
        yield Finding("models", Health.BROKEN, str(error), "correct the instance file")
        return
    if not described:
        yield Finding("models", Health.GOOD, "none: answers are quotations")
    for one in described:
        subject, (abilities, fault) = f"model endpoint {one.name}", examined(one)
        if abilities is None:
            remedy = (
                "answers come from the next endpoint, or are quotations; start the server, or correct models.endpoints"
            )
            yield Finding(subject, Health.LIMITED, f"{one.url}: {fault}", remedy)
        elif (abilities.context_tokens or one.context_tokens) < one.context_tokens:
            remedy = f"prompts are cut to {abilities.context_tokens} tokens; correct context_tokens"
            yield Finding(
                subject, Health.LIMITED, f"{one.url}: context_tokens {one.context_tokens} is too many", remedy
            )
        elif not abilities.listed:
            remedy = "check the model's name; where the server answers under another one, set reported_as"
            yield Finding(subject, Health.LIMITED, f"{one.url}: {one.model!r} is not in its list of models", remedy)
        else:
            said = (
                f"{abilities.context_tokens or 'unknown'} tokens of context, tokenizer: {abilities.tokenizer or 'none'}"
            )
            yield Finding(subject, Health.GOOD, f"{one.url}: {one.model}, {said}")


def _named_files(settings: Settings) -> Iterator[Finding]:
    """What the instance file names and the start, or the work after it, cannot do without."""
    from assistant.build import verifier_of
    from assistant.prompting import Prompts
    from assistant.retrieval import Calibration

    correct = "correct the instance file, or put the file there"
    needed: dict[str, Callable[[], object]] = {
        "labelling.markings": lambda: tomllib.loads(settings.labelling.markings.read_text(encoding="utf-8")),
        "retrieval.calibration": lambda: Calibration.load(settings.retrieval.calibration),
        "grounding.entailment": lambda: verifier_of(settings),
    }
    if settings.models.prompts and settings.models.endpoints:
        prompts = settings.models.prompts
        needed["models.prompts"] = lambda: Prompts.load(prompts)
    for key, read in needed.items():
        try:
            read()
        except (AssistantError, OSError, ValueError) as error:
            yield Finding(key, Health.BROKEN, str(error), correct)
    for folder in settings.ingest.watch:
        if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
            remedy = "nothing is taken from it: make it, or let the service's user read it"
            yield Finding("ingest.watch", Health.LIMITED, f"{folder} is not a folder that can be read", remedy)
        if settings.home.is_relative_to(folder) or folder.is_relative_to(settings.home):
            remedy = "watch another folder: the service would hand in its own files"
            yield Finding("ingest.watch", Health.BROKEN, f"{folder} and the data folder lie in each other", remedy)


def _index(settings: Settings) -> Iterator[Finding]:
    """Whether the index was built by this version and with this encoder; otherwise nothing starts."""
    from assistant.adaptation.models import BASE, ModelStore
    from assistant.build import base_folder, embedder_of
    from assistant.index.schema import IndexIdentity

    try:
        models = ModelStore(settings.home)
        active = models.active(base_folder(settings))
        file = models.index_folder(active.name if active else BASE) / "index.json"
        if file.is_file():
            embedder = embedder_of(settings)
            IndexIdentity.of(embedder.fingerprint, embedder.dimension).claim(file)
    except IndexMismatch as error:
        yield Finding("index", Health.BROKEN, str(error), "stop the service and run `assistant index rebuild`")
    except AssistantError as error:
        yield Finding("index", Health.BROKEN, str(error), "see the other findings")


def _encoder(settings: Settings) -> Finding:
    from assistant.build import encoder_folder

    try:
        return Finding("encoder", Health.GOOD, str(encoder_folder(settings)))
    except AssistantError as error:
        return Finding("encoder", Health.BROKEN, str(error), "point embedding.path at a sentence-transformers folder")


def _installed_parts() -> Iterator[Finding]:
    for name in ("ingestion", "commands", "pages"):
        try:
            part(name)
            yield Finding(f"part: {name}", Health.GOOD, "installed")
        except (AssistantError, ImportError) as error:
            yield Finding(f"part: {name}", Health.BROKEN, str(error), "run `make install`")


def _tesseract(settings: Settings) -> Finding:
    if not settings.ingest.ocr:
        return Finding("tesseract", Health.GOOD, "not used (ingest.ocr is off)")
    program = shutil.which("tesseract")
    cost = "scanned pages wait in quarantine until it is there"
    if program is None:
        return Finding("tesseract", Health.LIMITED, "tesseract is not installed", cost)
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False, timeout=20).stdout
    wanted = {_TESSERACT_LANGUAGES[language] for language in settings.instance.languages}
    missing = sorted(wanted - set(listed.split()))
    if missing:
        names = ", ".join(missing)
        return Finding(
            "tesseract",
            Health.LIMITED,
            f"tesseract lacks {names}",
            f"scans in these languages read badly: install tesseract-ocr-… for {names}",
        )
    return Finding("tesseract", Health.GOOD, program)


def _libreoffice() -> Finding:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        cost = (
            "DOC, XLS, PPT, XLSB, WPS, SXW, SXC and SXI are rejected, and nothing is exported as PDF, until it is there"
        )
        return Finding("LibreOffice", Health.LIMITED, "LibreOffice is not installed", cost)
    return Finding("LibreOffice", Health.GOOD, program)


def _database(settings: Settings) -> Iterator[Finding]:
    """Whether PostgreSQL answers, where ledger and queue stand in one."""
    if not settings.database.url:
        return
    try:
        yield Finding("database", Health.GOOD, f"PostgreSQL {server_version(allowed_url(settings))}")
    except ServiceUnavailable as error:
        yield Finding("database", Health.BROKEN, str(error), "start the server, or correct database.url")
    except ConfigurationError as error:
        yield Finding("database", Health.BROKEN, str(error), "correct the instance file")


def _confinement() -> Iterator[Finding]:
    """What holds the parsers back; the audit hook alone stops Python code only, not the libraries in C that read files."""
    try:
        in_force: dict[str, str] = part("confinement")()
    except (AssistantError, ImportError, OSError, ValueError, subprocess.SubprocessError) as error:
        yield Finding("parsers: confinement", Health.BROKEN, str(error), "run `make install`")
        return
    network, files = in_force["network"], in_force["files"]
    held = "namespace" in network or "seccomp" in network
    remedy = (
        "" if held else "allow unprivileged user namespaces, or a kernel with seccomp: libraries in C are not held back"
    )
    yield Finding("parsers: no network", Health.GOOD if held else Health.LIMITED, network, remedy)
    if files:
        yield Finding("parsers: files", Health.GOOD, files)
    else:
        remedy = "a kernel from 5.13 on with Landlock keeps a hostile file from reading others"
        yield Finding("parsers: files", Health.LIMITED, "the rights of the service's user", remedy)
    yield Finding("parsers: processes", Health.GOOD, in_force["processes"])


def _opt_outs() -> Finding:
    missing = egress.missing_opt_outs()
    if missing:
        return Finding("opt-outs", Health.BROKEN, ", ".join(missing), "start through the `assistant` command")
    return Finding("opt-outs", Health.GOOD, f"{len(egress.OPT_OUTS)} in force")


def _guard(settings: Settings) -> Finding:
    if not egress.guarded():
        return Finding("egress guard", Health.BROKEN, "not in force", "start through the `assistant` command")
    allowed = ", ".join(settings.egress.allow) or "loopback only"
    return Finding("egress guard", Health.GOOD, allowed)


def _audit(settings: Settings) -> Iterator[Finding]:
    file: Path = settings.home / "audit.db"
    if not file.exists():
        if (settings.home / "archive").exists():
            remedy = "bring it back from a backup; a new one begins at the next start, and proves nothing of before"
            yield Finding("audit record", Health.BROKEN, f"{file} is missing", remedy)
        return
    log = AuditLog(file)
    try:
        check = log.verify()
    finally:
        log.close()
    if check.broken_at is not None:
        remedy = "somebody changed the record: secure the data folder and call your security officer"
        yield Finding("audit record", Health.BROKEN, f"the chain breaks at entry {check.broken_at}", remedy)
    else:
        yield Finding("audit record", Health.GOOD, f"{check.entries} entries, chain intact")
