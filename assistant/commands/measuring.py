"""`assistant evaluate …`: quality measured on this machine, with no outside service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from assistant.build import embedder_of, lexicon_of
from assistant.client import ServiceClient
from assistant.commands.session import AsJson, Instance, console, print_json, service_of, settings_of
from assistant.errors import ConfigurationError

evaluate = typer.Typer(help="Measure retrieval and answers on labelled questions.", no_args_is_help=True)

SetFolder = Annotated[Path, typer.Argument(help="Folder with corpus.jsonl, queries.jsonl and qrels.tsv")]


@evaluate.command("retrieval")
def retrieval(folder: SetFolder, instance: Instance = None, as_json: AsJson = False) -> None:
    """Rank a labelled set by dense vectors, by words (BM25) and by both, and score the rankings."""
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
        figures = evaluate_answers(lines, lambda question, language: _asked(client, question, language))
    if as_json:
        print_json(figures)
        return
    _show(file.name, figures)


def _asked(client: ServiceClient, question: str, language: str) -> dict[str, Any]:
    return client.ask(question, language=language)


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


def _show(title: str, figures: dict[str, dict[str, float | None]]) -> None:
    table = Table(title=title, box=None, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("")
    names = list(next(iter(figures.values()), {}))
    for name in names:
        table.add_column(name, justify="right")
    for row, values in figures.items():
        table.add_row(
            row, *("–" if values[name] is None else f"{values[name]:.3f}".rstrip("0").rstrip(".") for name in names)
        )
    console.print(table)
