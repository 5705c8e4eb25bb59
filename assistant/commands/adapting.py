"""`assistant adapt …`: models adapted to the instance's own texts, on its own machine."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from assistant.commands.session import AsJson, Instance, console, print_json, problems, service_of, settings_of
from assistant.errors import ServiceUnavailable
from assistant.service.wire import plain

if TYPE_CHECKING:
    from assistant.adaptation.run import Adaptation
    from assistant.adaptation.training import Recipe
    from assistant.client import ServiceClient
    from assistant.config import Settings

adapt = typer.Typer(help="Adapt the encoder to this instance's own texts.", no_args_is_help=True)

_NICENESS = 10
"""Training gives way to the service, to ingestion and to people."""
_ASK_EVERY_S = 0.5


@adapt.command("run")
def run(
    instance: Instance = None,
    minutes: Annotated[float, typer.Option("--minutes", min=0.1, max=1440, help="How long to train")] = 10.0,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=64, help="Processor cores; default: embedding.threads")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Divides the documents and orders the pairs")] = 1,
    up_to: Annotated[
        str, typer.Option("--up-to", help="Learn only from documents that a reader with this clearance may read")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what there is to learn from, and stop")] = False,
    stay: Annotated[bool, typer.Option("--stay", help="Keep a better model without changing to it")] = False,
    as_json: AsJson = False,
) -> None:
    """Train on every document, judge on held-out ones, and change to the result when it finds significantly more."""
    from assistant.adaptation.material import Material
    from assistant.adaptation.run import plan_of
    from assistant.adaptation.training import Recipe

    settings = settings_of(instance)
    with service_of(settings) as client:
        material = Material.from_plain(client.training_material(up_to=up_to))
    plan = plan_of(material, seed=seed)
    if dry_run:
        _tell({"plan": plain(plan)}, as_json=as_json)
        return
    if not as_json:
        _show_plan(plain(plan))
    os.nice(_NICENESS)
    recipe = Recipe(seconds=minutes * 60, threads=threads or settings.embedding.threads, seed=seed)
    ended = _adapted(settings, material, recipe, quiet=as_json)
    result = {name: plain(getattr(ended, name)) for name in ("plan", "trained", "verdict")}
    result["model"] = ended.model.name if ended.model else None
    if ended.model and not stay:
        with service_of(settings) as client:
            _change(client, ended.model.name, quiet=as_json)
    _tell(result, as_json=as_json)
    if ended.model is None:
        raise typer.Exit(1)


@adapt.command("list")
def list_models(instance: Instance = None, as_json: AsJson = False) -> None:
    """Show the models, what each gained, and which one is in use."""
    with service_of(settings_of(instance)) as client:
        found = client.models()
    if as_json:
        print_json(found)
        return
    table = Table("model", "label", "pairs", "steps", "dense nDCG@10", "hybrid nDCG@10", "in use", box=None)
    table.add_row("base", *[""] * 5, _mark(found, "base"))
    for model in found["models"]:
        figures = model["comparisons"].get("own", {})
        gains = [_gain(figures[route]) if route in figures else "" for route in ("dense", "hybrid")]
        about = (model["name"], model["label"], str(model["pairs"]), str(model["training"]["steps"]))
        table.add_row(*about, *gains, _mark(found, model["name"]))
    console.print(table)
    if found["problem"]:
        problems.print(f"the last change failed: {found['problem']}", markup=False)


@adapt.command("use")
def use(
    name: Annotated[str, typer.Argument(help="A model as `adapt list` names it, or `base`")],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Change to a model, or back to `base`. Questions are answered all the while."""
    with service_of(settings_of(instance)) as client:
        _change(client, name, quiet=as_json)
    if as_json:
        print_json({"in_use": name})


@adapt.command("remove")
def remove(
    name: Annotated[str, typer.Argument(help="A model that is not in use")],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Delete a model."""
    with service_of(settings_of(instance)) as client:
        removed = client.remove_model(name)
    if as_json:
        print_json(removed)


def _adapted(settings: Settings, material: Any, recipe: Recipe, *, quiet: bool) -> Adaptation:
    from assistant.adaptation.models import ModelStore
    from assistant.adaptation.run import adapt as adapt_to
    from assistant.build import base_folder, embedder_of, lexicon_of

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=problems, disable=quiet) as progress:
        bar = progress.add_task("training", total=1.0)
        judging = "judging on documents that were held out"

        def told(share: float, _loss: float) -> None:
            progress.update(bar, completed=share, description=judging if share >= 1 else "training")

        return adapt_to(
            material,
            base_folder(settings),
            ModelStore(settings.home),
            lexicon_of(settings),
            lambda folder: embedder_of(settings, folder),
            recipe,
            progress=told,
        )


def _change(client: ServiceClient, name: str, *, quiet: bool) -> None:
    """Change to a model and wait until it is in use."""
    state = client.use_model(name)
    columns = (TextColumn("building the index of the other model"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=problems, disable=quiet) as progress:
        bar = progress.add_task("index", total=None)
        while state["changing_to"]:
            progress.update(bar, completed=state["done"], total=state["total"] or None)
            time.sleep(_ASK_EVERY_S)
            state = client.models()
    if state["in_use"] != name:
        raise ServiceUnavailable(f"the model was not changed: {state['problem']}")
    if not quiet:
        console.print(f"{name} is in use", markup=False)


def _show_plan(plan: dict[str, Any]) -> None:
    console.print(
        f"{plan['pairs']} pairs from {plan['passages']} passages of {plan['documents']} documents, {plan['gold_questions']}"
        f" gold questions; judged by {plan['judging_questions']} questions of documents that are held out",
        markup=False,
    )
    console.print(
        f"The model will be made from all of these, and belongs under the highest label among them: {plan['label']}."
        " Where readers are cleared for less, what they may not read has a part in the order of what they find;"
        " --up-to LABEL leaves it out.",
        markup=False,
    )


def _tell(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(result)
        return
    if "verdict" not in result:
        _show_plan(result["plan"])
        return
    verdict = result["verdict"]
    table = Table("questions", "ranking", "number", "nDCG@10", "p", box=None)
    for kind, routes in verdict["comparisons"].items():
        for route, figures in routes.items():
            table.add_row(kind, route, str(figures["queries"]), _gain(figures), f"{figures['gain']['p']:.4f}")
    console.print(table)
    kept = f"kept as {result['model']}" if result["model"] else "refused; the model in use stays"
    console.print(f"{kept}: {verdict['why']}", markup=False)


def _gain(figures: dict[str, Any]) -> str:
    return f"{figures['before']:.3f} → {figures['after']:.3f}"


def _mark(found: dict[str, Any], name: str) -> str:
    if found["changing_to"] == name:
        return f"{found['done']} of {found['total']} documents"
    return "yes" if found["in_use"] == name else ""
