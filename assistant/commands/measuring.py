"""`assistant evaluate …`: quality measured on this machine, with no outside service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from assistant.access import Label, Principal, Role
from assistant.commands.session import AsJson, Instance, console, print_json, service_of, settings_of
from assistant.config import Settings
from assistant.errors import ConfigurationError

if TYPE_CHECKING:
    from assistant.evaluation import AskedQuestion

evaluate = typer.Typer(help="Measure retrieval and answers on labelled questions.", no_args_is_help=True)

SetFolder = Annotated[Path, typer.Argument(help="Folder with corpus.jsonl, queries.jsonl and qrels.tsv")]


@evaluate.command("retrieval")
def retrieval(folder: SetFolder, instance: Instance = None, as_json: AsJson = False) -> None:
    """Rank a labelled set by dense vectors, by words (BM25) and by both, and score the rankings."""
    from assistant.build import embedder_of, lexicon_of
    from assistant.evaluation import evaluate_retrieval, load_set

    settings = settings_of(instance)
    figures = evaluate_retrieval(load_set(folder), embedder_of(settings), lexicon_of(settings))
    if as_json:
        print_json(figures)
        return
    _show(f"{folder.name}", figures)


@evaluate.command("answers")
def answers(
    file: Annotated[Path, typer.Argument(help="Questions, one JSON object a line")],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Ask every question of a file and count what the answers got right."""
    from assistant.evaluation import evaluate_answers

    lines = _json_lines(file)
    with service_of(settings_of(instance)) as client:
        figures = evaluate_answers(lines, lambda question, language: client.ask(question, language=language))
    if as_json:
        print_json(figures)
        return
    _show(file.name, figures)


@evaluate.command("calibrate")
def calibrate_thresholds(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets, at least one for each language")],
    answers: Annotated[
        list[Path] | None, typer.Option("--answers", help="Questions on this instance's own documents; may be repeated")
    ] = None,
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Choose, per language, from which support on the assistant answers; writes the instance's calibration file."""
    from assistant.build import embedder_of, lexicon_of
    from assistant.evaluation import calibrate, calibration_toml, load_set

    settings = settings_of(instance)
    embedder = embedder_of(settings)
    asked = _asked(settings, [line for file in answers or [] for line in _json_lines(file)])
    reports = calibrate([load_set(folder) for folder in folders], embedder, lexicon_of(settings), asked=asked)
    missing = sorted(set(settings.instance.languages) - set(reports))
    if missing:
        raise ConfigurationError(f"no set is in {', '.join(missing)}; name a folder for each language of the instance")
    text = calibration_toml(reports, date=datetime.now(UTC).date(), embedder=embedder)
    settings.retrieval.calibration.write_text(text, encoding="utf-8")
    names = ("queries", "wrongly_abstained", "rightly_abstained", "auc")
    figures = {language: {name: getattr(report, name) for name in names} for language, report in reports.items()}
    if as_json:
        print_json(figures)
    else:
        _show(f"written to {settings.retrieval.calibration}", figures)


def _asked(settings: Settings, lines: list[dict[str, Any]]) -> list[AskedQuestion]:
    """The questions as retrieval sees them among all the documents of the instance that its local reader may see."""
    from assistant.build import opened_retriever
    from assistant.evaluation import AskedQuestion

    if not lines:
        return []
    reader = Principal("calibration", frozenset({Role.READER}), Label.parse(settings.access.clearance))
    found = []
    with opened_retriever(settings) as retriever:
        for line in lines:
            question, language = str(line["question"]), str(line["lang"])
            features = retriever.features(question, language, reader, k=settings.retrieval.passages)
            found.append(AskedQuestion(features, line.get("label") != "unanswerable", language))
    return found


def _json_lines(file: Path) -> list[dict[str, Any]]:
    lines = []
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise ConfigurationError(f"{file}: line {number}: not valid JSON: {error.msg}") from error
        if not isinstance(value, dict) or "question" not in value:
            raise ConfigurationError(f"{file}: line {number}: an object with the key 'question' is expected")
        lines.append(value)
    return lines


def _show(title: str, figures: Mapping[str, Mapping[str, float | None]]) -> None:
    table = Table(title=title, box=None, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("")
    names = list(next(iter(figures.values()), {}))
    for name in names:
        table.add_column(name, justify="right")
    for row, values in figures.items():
        table.add_row(row, *(_shown(values[name]) for name in names))
    console.print(table)


def _shown(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}".removesuffix(".000")
