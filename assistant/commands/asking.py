"""`assistant ask` and `assistant search`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from assistant.commands.session import AsJson, Instance, console, print_json, service_of, settings_of
from assistant.scope import Scope

Collections = Annotated[list[str] | None, typer.Option("--collection", help="Only of this collection; repeatable")]
DateFrom = Annotated[str | None, typer.Option("--from", help="Only dated on this day or later, YYYY-MM-DD")]
DateTo = Annotated[str | None, typer.Option("--to", help="Only dated on this day or earlier, YYYY-MM-DD")]
Types = Annotated[list[str] | None, typer.Option("--type", help="Only documents of this type; repeatable")]
Language = Annotated[str | None, typer.Option("--language", help="fr, ar or en; default: the question's own")]


def ask(
    question: Annotated[str, typer.Argument(help="The question, in French, Arabic or English")],
    instance: Instance = None,
    language: Language = None,
    collection: Collections = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    document_type: Types = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question with sentences that are in the documents."""
    scope = _scope(collection, date_from, date_to, document_type)
    with service_of(settings_of(instance)) as client:
        answer = client.ask(question, language=language, scope=scope)
    if as_json:
        print_json(answer)
    else:
        _show_answer(answer)


def search(
    query: Annotated[str, typer.Argument(help="What to look for")],
    instance: Instance = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages")] = 10,
    route: Annotated[str, typer.Option("--route", help="hybrid, dense or bm25")] = "hybrid",
    collection: Collections = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    document_type: Types = None,
    as_json: AsJson = False,
) -> None:
    """Find the passages that fit a question best."""
    scope = _scope(collection, date_from, date_to, document_type)
    with service_of(settings_of(instance)) as client:
        found = client.search(query, k=k, route=route, scope=scope)
    if as_json:
        print_json(found)
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("#", "score", "document", "page", "passage"):
        table.add_column(heading)
    for result in found["results"]:
        passage = result["passage"]
        pages = ", ".join(str(number) for number in passage["page_numbers"])
        beginning = " ".join(passage["text"].split())[:160]
        table.add_row(str(result["rank"]), f"{result['score']:.4f}", escape(passage["title"]), pages, escape(beginning))
    console.print(table)


def _scope(
    collections: list[str] | None, date_from: str | None, date_to: str | None, types: list[str] | None
) -> dict[str, Any] | None:
    """As the service takes it; None where nothing is limited. Raises InvalidRequest for what is not a day."""
    given = {"collections": collections, "date_from": date_from, "date_to": date_to, "document_types": types}
    return Scope.from_json(given).to_json() if any(given.values()) else None


def _remarks(answer: dict[str, Any]) -> Iterator[str]:
    """What the reader must know of how the answer came about."""
    if answer["incomplete"]:
        yield "The model broke off: there may be more to say."
    if answer["fallback"] == "no_model":
        yield "No language model could be reached: these are quotations."
    if answer["fallback"] == "not_supported":
        yield "What the language model wrote is not in the documents: these are quotations."
    if withheld := answer["withheld"]:
        yield f"Held back because no passage supports it: {withheld} {'sentence' if withheld == 1 else 'sentences'}."


def _show_answer(answer: dict[str, Any]) -> None:
    console.print()
    if not answer["sentences"]:
        console.print(escape(answer["text"]))
    if answer["leads"]:
        console.print("The passages nearest to the question; none of them surely answers it:")
    for sentence in answer["sentences"] or answer["leads"]:
        marks = "".join(f" [{marker}]" for marker in sentence["markers"])
        console.print(f"{escape(sentence['text'])}[bold cyan]{escape(marks)}[/]")
    for note in (*answer["notes"], *_remarks(answer)):
        console.print(f"[yellow]{escape(note)}[/]")
    console.print()
    for citation in answer["citations"]:
        page = f", p. {citation['page_number']}" if citation["page_number"] else ""
        title = f"{citation['title']} ({citation['file_name']}{page})"
        console.print(f"[bold cyan]\\[{citation['marker']}][/] {escape(title)} · {citation['verdict']}")
    console.print(f"[dim]{answer['outcome']} · {answer['timings_ms'].get('total', 0):.0f} ms[/]")
