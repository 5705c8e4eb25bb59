"""Frozen settings, read once from one TOML file.

An error names the file, the key, the value and what to do. Relative paths are relative to the folder of the file.
Only this module and `egress` read the environment; two variables count: `ASSISTANT_INSTANCE` (the file, when the
command line names none) and `ASSISTANT_HOME` (the data folder, whatever the file says).
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    ValidationError,
    field_validator,
    model_validator,
)

from assistant.access import Label, Level
from assistant.errors import ConfigurationError
from assistant.setting_errors import explained

_LONGEST_SALT, _NOT_IN_SALT = 128, "@/\\"


def _written(value: object) -> object:
    if value == "":
        raise ValueError("write a path, or leave the key out")
    return value


def _one_host(value: str) -> str:
    """The name or the address of one machine, and nothing more: an empty one would be bound to every address there is."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        if not re.fullmatch(r"(?=.*[A-Za-z])[\w-]+(\.[\w-]+)*\.?", value):
            raise ValueError("write one name or address, without scheme, port or wildcard, as in 127.0.0.1") from None
    return value


Host = Annotated[str, AfterValidator(_one_host)]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
"""Strict, since to Python `true` is 1: `port = true` would be a port. A whole number is a number."""
GivenPath = Annotated[Path, BeforeValidator(_written)]
"""An empty one would mean the folder of the instance file."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InstanceSettings(_Section):
    """Who this instance serves."""

    name: str = Field(min_length=1, max_length=80)
    data: GivenPath
    """The one folder that holds everything this instance knows."""
    languages: Annotated[tuple[Literal["fr", "ar", "en"], ...], Field(min_length=1)] = ("fr", "ar", "en")

    @field_validator("languages")
    @classmethod
    def _each_once(cls, value: tuple[Literal["fr", "ar", "en"], ...]) -> tuple[Literal["fr", "ar", "en"], ...]:
        return tuple(dict.fromkeys(value))


class ExampleSettings(_Section):
    """Questions that the page offers to somebody who does not know how to begin, by language."""

    fr: tuple[str, ...] = ()
    ar: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


class ServiceSettings(_Section):
    """Where the service listens."""

    host: Host = "127.0.0.1"
    port: Annotated[Whole, Field(ge=0, le=65535)] = 8501
    public_url: str = ""
    """Where readers open it, when a proxy stands before it: `https://assistant.example`. Empty: at `host` and `port`."""
    session_hours: Annotated[Number, Field(gt=0, le=24 * 7)] = 12.0
    max_upload_mb: Annotated[Whole, Field(gt=0)] = 200

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://([\w.-]+|\[[\da-fA-F:]+\])(:\d{1,5})?/?", value):
            raise ValueError(
                "write http:// or https:// and a host alone, without a path, as in https://assistant.example"
            )
        return value.rstrip("/").lower()


class AccessSettings(_Section):
    """The local principal of the embedded default."""

    clearance: str = "secret"

    @field_validator("clearance")
    @classmethod
    def _is_a_label(cls, value: str) -> str:
        return str(_parsed_label(value))


class LabellingSettings(_Section):
    """What label a document gets."""

    markings: GivenPath = Path("markings.toml")
    unmarked: Literal["quarantine", "highest"] = "quarantine"
    """What happens to a document without any label. `highest` gives it the highest level there is: never a lower one."""

    def label_for_unmarked(self) -> Label | None:
        """The label of a document that says nothing; None sends it to quarantine."""
        return Label(max(Level)) if self.unmarked == "highest" else None


class EmbeddingSettings(_Section):
    """The encoder: a local folder in the layout of sentence-transformers."""

    path: GivenPath | None = None
    """None takes the packaged multilingual-e5-small."""
    threads: Annotated[Whole, Field(ge=1, le=64)] = 2
    dense_weights: dict[Literal["fr", "ar", "en"], Annotated[Number, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """Weight of the dense ranking in fusion, by language of the question; words get the rest. Belongs to the encoder."""


class RetrievalSettings(_Section):
    """How evidence is found."""

    passages: Annotated[Whole, Field(ge=1, le=100)] = 12
    exact_below: Annotated[Whole, Field(ge=0)] = 200_000
    calibration: GivenPath = Path("calibration.toml")
    reranker: GivenPath | None = None
    """A folder with a sentence-transformers cross-encoder; None for no reranker."""
    reranker_depth: Annotated[Whole, Field(ge=1, le=100)] = 20
    """How many of the best passages it reads."""
    reranker_weight: Annotated[Number, Field(ge=0, le=1)] = 0.5
    """Share of the reranker in the new order of these; the rest is the search's own."""


class GroundingSettings(_Section):
    """How composed sentences are checked."""

    entailment: GivenPath | None = None
    """A folder with a sentence-transformers cross-encoder of natural language inference; None for the check of words alone."""


class RetentionRule(BaseModel):
    """How long documents of a collection or a type are kept. The first rule that fits a document counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    collection: str | None = None
    document_type: str | None = None
    keep_years: Annotated[Whole | None, Field(ge=0, le=1000)] = None
    keep_days: Annotated[Whole | None, Field(ge=0, le=365_000)] = None
    counted_from: Literal["date", "received"] = Field(default="date", alias="from")
    """From the document's own date, or from the day it was handed in. A document without a date is kept."""

    @model_validator(mode="after")
    def _says_what_and_how_long(self) -> Self:
        if self.collection is None and self.document_type is None:
            raise ValueError("name a collection or a document_type; a rule for everything would erase everything")
        if (self.keep_years is None) == (self.keep_days is None):
            raise ValueError("give either keep_years or keep_days")
        return self


class IngestSettings(_Section):
    """Limits on one document, what may be used to read it, and how long it is kept."""

    ocr: StrictBool = True
    ocr_confidence: Annotated[Number, Field(ge=0, le=1)] = 0.7
    """Mean word confidence under which a page read by OCR is listed for review and answers that rest on it say so."""
    keep_versions: Literal["newest", "all"] = "newest"
    """Whether older versions stay readable for archivists. They are never searched."""
    retention: tuple[RetentionRule, ...] = ()
    passage_chars: Annotated[Whole, Field(ge=200, le=4000)] = 900
    wall_s: Annotated[Number, Field(gt=0)] = 300.0
    cpu_s: Annotated[Whole, Field(gt=0)] = 600
    memory_mb: Annotated[Whole, Field(ge=256)] = 2048
    workers: Annotated[Whole, Field(ge=1, le=64)] = 1
    watch: tuple[GivenPath, ...] = ()
    """Folders from which the service takes what appears in them."""
    watch_every_s: Annotated[Number, Field(ge=0.1)] = 10.0
    attempts: Annotated[Whole, Field(ge=1, le=100)] = 8
    """How often a document is tried when something that can come back is away: a disk is full, a service down."""
    retry_s: Annotated[Number, Field(ge=0, le=3600)] = 2.0
    """Wait before the second attempt, doubled for each further one up to five minutes."""
    least_free_mb: Annotated[Whole, Field(ge=0)] = 256
    """Free space on the data folder's disk below which documents wait: on a full disk the index would end the process."""
    worker: str = Field(default="", max_length=100, pattern=r"^[\w.-]*$")
    """Name of this process among those that share a database; empty: a name of its own, kept in the data folder."""
    heartbeat_s: Annotated[Number, Field(gt=0, le=600)] = 10.0
    dead_after_s: Annotated[Number, Field(gt=0, le=86_400)] = 60.0
    """A worker that has not been heard of for so long is dead, and others take over its documents."""

    @model_validator(mode="after")
    def _heard_before_it_is_dead(self) -> IngestSettings:
        if self.dead_after_s < 3 * self.heartbeat_s:
            raise ValueError(
                f"dead_after_s ({self.dead_after_s:g}) must be at least three times heartbeat_s ({self.heartbeat_s:g})"
            )
        return self


class DatabaseSettings(_Section):
    """Where ledger and queue stand. Archive and audit record stay in the data folder."""

    url: str = ""
    """Empty: SQLite in the data folder. `postgresql://user@host/database`: PostgreSQL, for several workers."""

    @field_validator("url")
    @classmethod
    def _is_well_formed(cls, value: str) -> str:
        """Whatever libpq would stumble over it repeats in its message, a part of a password included."""
        try:
            places = urlsplit(value).netloc.rpartition("@")[2].split(",")
        except ValueError:
            places = [":"]
        if any(not re.fullmatch(r"(\[.*\]|[^:]*)(:\d+)?", place) for place in places):
            raise ValueError(
                "write postgresql://user@host:port/database; in a password, / is %2F, : is %3A, @ is %40, ? is %3F"
            )
        return value

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every name and address that the URL can lead to; a path is a socket on this machine. libpq reads all of these."""
        parts = urlsplit(self.url)
        query = parse_qs(parts.query)
        places = [parts.netloc.rpartition("@")[2], *query.get("host", []), *query.get("hostaddr", [])]
        names = [name.strip() for place in places for name in place.split(",")]
        return tuple(_without_port(name) for name in names if name)


def _without_port(name: str) -> str:
    """`db:5432` → `db`, `[::1]:5432` → `::1`; a path stays."""
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name if name.startswith("/") or name.count(":") > 1 else name.partition(":")[0]


class ConversationSettings(_Section):
    """How long readers' conversations are kept."""

    keep_days: Annotated[Whole, Field(ge=0, le=36_500)] = 365
    """Since the last question in them; 0 keeps none: no question and no answer is stored."""


class DemoSettings(_Section):
    """Documents that `assistant up` hands in at its first start."""

    documents: GivenPath


class EgressSettings(_Section):
    """Hosts beside loopback that this instance may reach; empty by default."""

    allow: tuple[Host, ...] = ()


class EndpointSettings(_Section):
    """One server of a language model that speaks the OpenAI protocol."""

    name: str = Field(pattern=r"^[\w.-]{1,60}$")
    url: str
    """The base address, as in `http://127.0.0.1:8000/v1`. Its host is this machine or in `egress.allow`."""
    model: str = Field(min_length=1, max_length=300)
    reported_as: str = ""
    """The name under which the server answers, where it is not `model`."""
    cache_salt: str = ""
    """Sent along where it is set: vLLM shares kept beginnings of prompts only between requests of one salt."""
    languages: tuple[Literal["fr", "ar", "en"], ...] = ()
    """In which it may answer; empty: all of the instance."""
    context_tokens: Annotated[Whole, Field(ge=512)] = 4096
    clearance: str
    """The highest label of a document that it may be sent."""
    key_file: GivenPath | None = None
    ca_file: GivenPath | None = None
    """Certificates (PEM) to trust instead of those of the system."""
    concurrency: Annotated[Whole, Field(ge=1, le=1024)] = 8
    connect_s: Annotated[Number, Field(gt=0, le=60)] = 2.0
    first_token_s: Annotated[Number, Field(gt=0, le=600)] = 20.0
    between_tokens_s: Annotated[Number, Field(gt=0, le=600)] = 10.0
    total_s: Annotated[Number, Field(gt=0, le=3600)] = 120.0

    @field_validator("clearance")
    @classmethod
    def _is_a_label(cls, value: str) -> str:
        return str(_parsed_label(value))

    @field_validator("cache_salt")
    @classmethod
    def _is_a_salt(cls, value: str) -> str:
        """What vLLM takes: it refuses any other with each request."""
        if len(value) > _LONGEST_SALT or any(letter in _NOT_IN_SALT or not letter.isprintable() for letter in value):
            raise ValueError(f"write at most {_LONGEST_SALT} printable characters, none of them @, / or \\")
        return value

    @field_validator("url")
    @classmethod
    def _is_a_base_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            plain = not (parts.username or parts.password or parts.query or parts.fragment) and parts.port != 0
        except ValueError:
            plain = False
        if not plain or parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write http:// or https://, host, port and path, as in http://127.0.0.1:8000/v1")
        return value.rstrip("/")

    @property
    def host(self) -> str:
        """The host of `url`."""
        return urlsplit(self.url).hostname or ""


class ModelSettings(_Section):
    """Language models; without any, answers are quotations."""

    endpoints: tuple[EndpointSettings, ...] = ()
    """In order of preference."""
    prompts: GivenPath | None = None
    """A file with prompts of one's own in place of those that come with the program; see `assistant/prompts/answer.toml`."""
    wait_s: Annotated[Number, Field(gt=0, le=600)] = 60.0
    """How long a request waits for a free endpoint before it is answered with quotations."""

    @field_validator("endpoints")
    @classmethod
    def _has_different_names(cls, value: tuple[EndpointSettings, ...]) -> tuple[EndpointSettings, ...]:
        names = [one.name for one in value]
        if len(set(names)) < len(names):
            raise ValueError("two endpoints have the same name; give each its own")
        return value


class Settings(_Section):
    """One instance, complete."""

    instance: InstanceSettings
    examples: ExampleSettings = ExampleSettings()
    service: ServiceSettings = ServiceSettings()
    access: AccessSettings = AccessSettings()
    labelling: LabellingSettings = LabellingSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    grounding: GroundingSettings = GroundingSettings()
    ingest: IngestSettings = IngestSettings()
    database: DatabaseSettings = DatabaseSettings()
    conversations: ConversationSettings = ConversationSettings()
    demo: DemoSettings | None = None
    egress: EgressSettings = EgressSettings()
    models: ModelSettings = ModelSettings()
    file: Path
    """The file these settings came from."""

    @property
    def home(self) -> Path:
        """The data folder."""
        return self.instance.data


def instance_file(given: Path | None) -> Path:
    """The instance file to use: the one given, else `ASSISTANT_INSTANCE`, else `configs/default.toml` here or beside the code."""
    if given is not None:
        return given
    named = os.environ.get("ASSISTANT_INSTANCE")
    if named:
        return Path(named)
    here = Path("configs/default.toml")
    return here if here.is_file() else Path(__file__).resolve().parents[1] / here


def load_settings(file: Path) -> Settings:
    """Settings from one TOML file, paths made absolute.

    Raises ConfigurationError naming file, key, value and remedy.
    """
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{file}: there is no such instance file; name one with --instance") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    try:
        settings = Settings(**raw, file=file.resolve())
    except ValidationError as error:
        raise ConfigurationError(explained(file, error)) from error
    except TypeError as error:
        raise ConfigurationError(f"{file}: file: this key is set by the program; remove it") from error
    return _with_absolute_paths(settings)


def environment_home() -> Path | None:
    """The data folder that `ASSISTANT_HOME` asks for, if any."""
    home = os.environ.get("ASSISTANT_HOME")
    return Path(home).resolve() if home else None


def _with_absolute_paths(settings: Settings) -> Settings:
    folder = settings.file.parent

    def absolute(path: Path) -> Path:
        return (folder / path.expanduser()).resolve()

    instance, embedding, demo, retrieval = settings.instance, settings.embedding, settings.demo, settings.retrieval
    grounding = settings.grounding
    watch = tuple(absolute(folder) for folder in settings.ingest.watch)
    endpoints = tuple(
        one.model_copy(
            update={
                name: absolute(path) for name in ("key_file", "ca_file") if (path := getattr(one, name)) is not None
            }
        )
        for one in settings.models.endpoints
    )
    return settings.model_copy(
        update={
            "instance": instance.model_copy(update={"data": environment_home() or absolute(instance.data)}),
            "labelling": settings.labelling.model_copy(update={"markings": absolute(settings.labelling.markings)}),
            "retrieval": retrieval.model_copy(
                update={
                    "calibration": absolute(retrieval.calibration),
                    "reranker": absolute(retrieval.reranker) if retrieval.reranker else None,
                }
            ),
            "grounding": grounding.model_copy(
                update={"entailment": absolute(grounding.entailment) if grounding.entailment else None}
            ),
            "embedding": embedding.model_copy(update={"path": absolute(embedding.path) if embedding.path else None}),
            "ingest": settings.ingest.model_copy(update={"watch": watch}),
            "models": settings.models.model_copy(
                update={
                    "endpoints": endpoints,
                    "prompts": absolute(settings.models.prompts) if settings.models.prompts else None,
                }
            ),
            "demo": demo.model_copy(update={"documents": absolute(demo.documents)}) if demo else None,
        }
    )


def _parsed_label(value: str) -> Label:
    try:
        return Label.parse(value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error
