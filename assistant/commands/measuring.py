"""`assistant evaluate …`: quality measured on this machine, with no outside service."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from assistant.commands.gold import gold
from assistant.commands.session import AsJson, Instance, console, print_json, problems, service_of, settings_of
from assistant.config import Settings, load_settings
from assistant.errors import ConfigurationError

if TYPE_CHECKING:
    from assistant.embedding import Embedder
    from assistant.evaluation.measurement import Measurement
    from assistant.evaluation.ranking import Configuration

evaluate = typer.Typer(help="Measure retrieval and answers on labelled questions.", no_args_is_help=True)
evaluate.add_typer(gold, name="gold")

SetFolder = Annotated[Path, typer.Argument(help="Folder with corpus.jsonl, queries.jsonl and qrels.tsv")]
ReportFolder = Annotated[
    Path | None, typer.Option("--report", help="Folder to write report.json and report.html into", file_okay=False)
]


Against = Annotated[
    Path | None,
    typer.Option("--against", help="A report.json to compare with, or another instance file (.toml) to run as well"),
]


@evaluate.command("retrieval")
def retrieval(
    folder: SetFolder,
    instance: Instance = None,
    as_json: AsJson = False,
    report: ReportFolder = None,
    against: Against = None,
) -> None:
    """Rank a labelled set by each route and by well-known baselines, score the rankings, and say who is better."""
    from assistant.evaluation import load_set, measure_retrieval, set_hash

    settings = settings_of(instance)
    other, earlier = _compared_with(against, "retrieval")
    ours = _ranking_parts(settings)
    measured = measure_retrieval(load_set(folder), ours, _ranking_parts(other) if other else None)
    hashed = set_hash(folder)
    measured = _with_earlier(measured, earlier, hashed, against)
    _write(measured, configuration_of(settings, ours.embedder), hashed, report)
    figures = {name: measured.figures(name) for name in measured.systems}
    if as_json:
        print_json(figures | {"comparisons": measured.differences_json()})
        return
    _show(measured.name, figures)
    _show_differences(measured, measured.measures[:1])


@evaluate.command("answers")
def answers(
    file: Annotated[Path, typer.Argument(help="Questions, one JSON object a line")],
    instance: Instance = None,
    as_json: AsJson = False,
    report: ReportFolder = None,
    against: Against = None,
) -> None:
    """Ask every question of a file and count what the answers got right."""
    settings = settings_of(instance)
    _evaluate_lines(_json_lines(file), file.name, settings, report, against, as_json=as_json)


@gold.command("run")
def run_gold(
    instance: Instance = None, as_json: AsJson = False, report: ReportFolder = None, against: Against = None
) -> None:
    """Ask the gold questions and count what the answers got right, as `evaluate answers` does."""
    settings = settings_of(instance)
    with service_of(settings) as client:
        lines = client.gold_lines()
    if not lines:
        raise ConfigurationError("there are no gold questions yet; keep some with `assistant evaluate gold add`")
    _evaluate_lines(lines, "gold questions", settings, report, against, as_json=as_json)


def _evaluate_lines(
    lines: list[dict[str, Any]],
    name: str,
    settings: Settings,
    report: Path | None,
    against: Path | None,
    *,
    as_json: bool,
) -> None:
    from assistant.build import embedder_of
    from assistant.evaluation import answer_figures
    from assistant.evaluation.report import lines_hash

    hashed = lines_hash(lines)
    other, earlier = _compared_with(against, "answers")
    measured = _measured_answers(lines, settings, name)
    if other is not None:
        measured = measured.beside(_measured_answers(lines, other, name))
    measured = _with_earlier(measured, earlier, hashed, against)
    _write(measured, configuration_of(settings, embedder_of(settings)), hashed, report)
    figures = answer_figures(measured)
    if as_json:
        print_json(figures | ({"comparisons": measured.differences_json()} if against else {}))
        return
    _show(name, figures)
    _show_differences(measured, measured.measures)


def _measured_answers(lines: list[dict[str, Any]], settings: Settings, name: str) -> Measurement:
    """What the instance's service answers to each line."""
    from assistant.evaluation import measure_answers

    with service_of(settings) as client:
        return measure_answers(lines, lambda question, language: client.ask(question, language=language), name=name)


@evaluate.command("calibrate")
def calibrate_thresholds(
    folders: Annotated[list[Path], typer.Argument(help="Labelled sets, at least one for each language")],
    instance: Instance = None,
    as_json: AsJson = False,
) -> None:
    """Choose, per language, from which support on the assistant answers; writes the instance's calibration file."""
    from assistant.build import embedder_of, lexicon_of
    from assistant.evaluation import calibrate, calibration_toml, load_set

    settings = settings_of(instance)
    embedder = embedder_of(settings)
    reports = calibrate([load_set(folder) for folder in folders], embedder, lexicon_of(settings))
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


def configuration_of(settings: Settings, embedder: Embedder) -> dict[str, Any]:
    """What the quality of this instance depends on: names, weights and hashes, and no folder of the machine."""
    from assistant.build import encoder_folder
    from assistant.evaluation.report import files_hash
    from assistant.lexical import LEXICON_VERSION

    calibration = settings.retrieval.calibration
    return {
        "instance": settings.instance.name,
        "encoder": encoder_folder(settings).name,
        "embedder": embedder.fingerprint,
        "dense_weights": {language: embedder.dense_weight(language) for language in settings.instance.languages},
        "lexicon": LEXICON_VERSION,
        "retrieval": json.loads(settings.retrieval.model_dump_json(exclude={"calibration"})),
        "calibration": files_hash([calibration]) if calibration.is_file() else "",
    }


def _ranking_parts(settings: Settings) -> Configuration:
    from assistant.build import embedder_of, lexicon_of
    from assistant.evaluation.ranking import Configuration

    return Configuration(embedder_of(settings), lexicon_of(settings))


def _compared_with(against: Path | None, kind: str) -> tuple[Settings | None, dict[str, Any] | None]:
    """The other instance, or the earlier report."""
    from assistant.evaluation.report import read_report

    if against is None:
        return None, None
    return (load_settings(against), None) if against.suffix == ".toml" else (None, read_report(against, kind))


def _with_earlier(measured: Measurement, earlier: dict[str, Any] | None, hashed: str, file: Path | None) -> Measurement:
    from assistant.evaluation.report import with_earlier

    if earlier is None or file is None:
        return measured
    if earlier["set"] != hashed:
        message = (
            f"{file}: made on other documents, questions or labels; only questions that stand in both are compared"
        )
        problems.print(message, style="yellow", markup=False, soft_wrap=True)
    return with_earlier(measured, earlier, file=file)


def _write(measured: Measurement, configuration: dict[str, Any], hashed: str, folder: Path | None) -> None:
    from assistant.evaluation.report import report_of, write_report

    if folder is not None:
        write_report(report_of(measured, configuration, set_hash=hashed), folder)
        problems.print(f"report: {folder / 'report.html'}", markup=False, soft_wrap=True)


def _show_differences(measured: Measurement, measures: Sequence[str]) -> None:
    table = Table(title=f"{measured.ours}, differences", box=None, padding=(0, 2, 0, 0), title_justify="left")
    for name in ("compared with", "measure", "difference", "95 % interval", "p"):
        table.add_column(name, justify="left" if name in ("compared with", "measure") else "right")
    for rival, by_measure in measured.comparisons().items():
        for measure in measures:
            if measure in by_measure:
                found = by_measure[measure]
                interval = f"{found.low:+.3f} … {found.high:+.3f}"
                chance = "< 0.001" if found.p < 0.001 else f"{found.p:.3f}"
                table.add_row(rival, measure, f"{found.difference:+.3f}", interval, chance)
    if table.row_count:
        console.print(table)


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
        table.add_row(row, *(_shown(values.get(name)) for name in names))
    console.print(table)


def _shown(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}".removesuffix(".000")
