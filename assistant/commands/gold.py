"""`assistant evaluate gold …`: gold questions, kept in the instance, and what it makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from assistant.commands.session import AsJson, Instance, console, print_json, service_of, settings_of
from assistant.errors import ConfigurationError, InvalidRequest

gold = typer.Typer(help="Questions of which archivists know the answer, kept in the instance.", no_args_is_help=True)


@gold.command("list")
def list_questions(instance: Instance = None, as_json: AsJson = False) -> None:
    """List the gold questions, newest first."""
    with service_of(settings_of(instance)) as client:
        questions = client.gold()
    if as_json:
        print_json({"questions": questions})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("id", "language", "question", "document", "page"):
        table.add_column(heading)
    for found in questions:
        place = found["title"] if found["document_id"] else "nothing answers it"
        table.add_row(
            found["id"], found["language"], escape(found["question"]), escape(place), str(found["page"] or "")
        )
    console.print(table)


@gold.command("add")
def add(
    question: Annotated[str, typer.Argument(help="The question")],
    document: Annotated[str | None, typer.Option("--document", help="Id of the document that answers it")] = None,
    words: Annotated[str | None, typer.Option("--words", help="The words that answer, as they stand there")] = None,
    page: Annotated[int | None, typer.Option("--page", min=1, help="Page; default: the first with these words")] = None,
    unanswerable: Annotated[bool, typer.Option("--unanswerable", help="Nothing in the documents answers it")] = False,
    language: Annotated[
        str | None, typer.Option("--language", help="fr, ar or en; default: the question's own")
    ] = None,
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Keep a question with the place that answers it. The words must stand there."""
    if unanswerable == bool(document and words):
        raise InvalidRequest("name the document and the words that answer, or say --unanswerable")
    with service_of(settings_of(instance)) as client:
        kept = client.add_gold(question, document_id=document, words=words, page=page, language=language)
    if as_json:
        print_json(kept)
    else:
        console.print(f"kept as {kept['id']}", markup=False)


@gold.command("feedback")
def feedback(
    keep: Annotated[bool, typer.Option("--keep", help="Keep what readers liked as gold questions")] = False,
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """List what readers said of answers, newest first; only what you may read, and never who said it."""
    with service_of(settings_of(instance)) as client:
        given = client.feedback()
        kept = [client.add_gold(**each["gold"]) for each in given if keep and each["gold"]]
    if as_json:
        print_json({"feedback": given, "kept": kept})
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "question", "reason", "comment", "document"):
        table.add_column(heading)
    for each in given:
        titles = ", ".join(dict.fromkeys(cited["title"] for cited in each["cited"]))
        table.add_row(
            {"up": "+", "down": "-"}[each["rating"]],
            *(escape(text) for text in (each["question"], each["reason"], each["comment"], titles)),
        )
    console.print(table)
    if keep:
        console.print(f"{len(kept)} kept as gold questions", markup=False)


@gold.command("remove")
def remove(
    ids: Annotated[list[str], typer.Argument(help="Ids, as `gold list` shows them")],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Forget questions."""
    with service_of(settings_of(instance)) as client:
        for question_id in ids:
            client.remove_gold(question_id)
    if as_json:
        print_json({"removed": ids})


@gold.command("export")
def export(
    folder: Annotated[Path, typer.Argument(help="Folder to write into", file_okay=False)],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Write the questions as answers.jsonl, and with the passages they are about as a set for `evaluate retrieval`."""
    with service_of(settings_of(instance)) as client:
        lines, collection = client.gold_lines(), client.gold_retrieval()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_lines(folder / "answers.jsonl", lines)
        for name in ("corpus", "queries"):
            _write_lines(folder / f"{name}.jsonl", collection[name])
        rows = [f"{row['query']}\t{row['corpus']}\t{row['score']}" for row in collection["qrels"]]
        (folder / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{folder}: cannot be written ({error.strerror}); name another folder") from error
    figures = {"questions": len(lines), "queries": len(collection["queries"]), "passages": len(collection["corpus"])}
    if as_json:
        print_json(figures)
    else:
        console.print(", ".join(f"{count} {name}" for name, count in figures.items()), markup=False)


def _write_lines(file: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
