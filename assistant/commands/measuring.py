"""`assistant evaluate …`: quality measured on this machine, with no outside service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from assistant.access import Label, Principal, Role
from assistant.commands.gold import gold
from assistant.commands.session import AsJson, Instance, console, print_json, problems, service_of, settings_of
from assistant.config import Settings, load_settings
from assistant.errors import ConfigurationError

if TYPE_CHECKING:
    from assistant.embedding import Embedder
    from assistant.evaluation import AskedQuestion
    from assistant.evaluation.grounding import Claim, GroundingFigures, Share
    from assistant.evaluation.measurement import Measurement
    from assistant.evaluation.ranking import Configuration

evaluate = typer.Typer(help="Measure retrieval and answers on labelled questions.", no_args_is_help=True)
evaluate.add_typer(gold, name="gold")

_WIDEST = 6
"""Columns of figures beside their names on a terminal of 80."""

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
    other, earlier = _compared_with(against, "retrieval", report)
    ours = _ranking_parts(settings)
    collection = load_set(folder)
    for remark in collection.remarks:
        problems.print(f"{folder}: {remark}", style="yellow", markup=False, soft_wrap=True)
    measured = measure_retrieval(collection, ours, _ranking_parts(other) if other else None)
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


@evaluate.command("grounding")
def grounding(
    file: Annotated[Path, typer.Argument(help="Sentences with the passages they cite, one JSON object a line")],
    predictions: Annotated[
        Path | None, typer.Option("--predictions", help="File to write the verdict on each line into", dir_okay=False)
    ] = None,
    tuning: Annotated[
        Path | None,
        typer.Option("--tuning", help="Lines to set the baselines' thresholds on; default: tuning.jsonl beside FILE"),
    ] = None,
    instance: Instance = None,
    as_json: AsJson = False,
    report: ReportFolder = None,
    against: Against = None,
) -> None:
    """Check each sentence against its passages, and count what was caught and what was withheld by mistake."""
    from assistant.build import embedder_of, lexicon_of, verifier_of
    from assistant.evaluation import grounding as evaluation
    from assistant.evaluation.measurement import AGAINST
    from assistant.evaluation.report import lines_hash

    settings = settings_of(instance)
    read, lines = evaluation.read_claims(file), _tuning_lines(file, tuning)
    claims = _labelled(read, file, predictions)
    hashed = lines_hash([asdict(claim) for claim in claims])
    other, earlier = _compared_with(against, "grounding", report)
    ours = evaluation.judged(read, evaluation.checked_by(verifier_of(settings)))
    if predictions is not None:
        evaluation.write_predictions(read, ours.supported, predictions)
    if not claims:
        return
    embedder = embedder_of(settings)
    judges = {}
    if other is not None:
        judges[AGAINST] = evaluation.checked_by(verifier_of(other))
    judges |= evaluation.baselines(claims, lines, lexicon_of(settings), embedder) if lines else {}
    judged = {evaluation.OURS: ours} | {name: evaluation.judged(claims, judge) for name, judge in judges.items()}
    measured = evaluation.grounding_measurement(file.name, claims, judged)
    measured = _with_earlier(measured, earlier, hashed, against)
    _write(measured, configuration_of(settings, embedder), hashed, report)
    figures = {name: evaluation.grounding_figures(claims, of.supported) for name, of in judged.items()}
    if as_json:
        told = {name: {group: found.as_json() for group, found in groups.items()} for name, groups in figures.items()}
        print_json(told | {"comparisons": measured.differences_json()})
        return
    for name, groups in figures.items():
        shown = {key: of for key, of in groups.items() if name == evaluation.OURS or key not in evaluation.KINDS}
        _show_grounding(f"{file.name}: {name}", shown, times=judged[name].times)
    _show_differences(measured, measured.measures)


def _labelled(claims: Sequence[Claim], file: Path, predictions: Path | None) -> tuple[Claim, ...]:
    """The lines that say whether their claim is supported; a word about the others."""
    from assistant.evaluation.report import require_writable

    labelled = tuple(claim for claim in claims if claim.supported is not None)
    if predictions is None and not labelled:
        raise ConfigurationError(f"{file}: no line has 'supported'; add --predictions OUT for the verdicts alone")
    if predictions is not None and predictions.resolve() == file.resolve():
        raise ConfigurationError(f"{predictions}: the verdicts would overwrite the lines; name another file")
    if predictions is not None:
        require_writable(predictions.parent)
    if len(labelled) < len(claims):
        silent = len(claims) - len(labelled)
        message = f"{silent} of {len(claims)} lines do not say 'supported': they get a verdict and do not count"
        problems.print(message, style="yellow", markup=False, soft_wrap=True)
    return labelled


def _tuning_lines(file: Path, tuning: Path | None) -> tuple[Claim, ...]:
    """The lines that the baselines' thresholds are set on; none, and a word about it, when nobody named any."""
    from assistant.evaluation.grounding import read_claims

    lines = tuning or file.parent / "tuning.jsonl"
    if tuning is None and not lines.is_file():
        message = f"no baselines: there is no {lines} to set their thresholds on; name one with --tuning"
        problems.print(message, style="yellow", markup=False, soft_wrap=True)
        return ()
    return read_claims(lines)


def _show_grounding(title: str, figures: Mapping[str, GroundingFigures], *, times: Mapping[str, float]) -> None:
    spent = ", ".join(f"{name.removesuffix('_ms')} {value:.1f} ms" for name, value in times.items())
    table = Table(title=f"{title} ({spent} a sentence)", box=None, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("")
    for name in ("caught", "95 % interval", "wrongly withheld", "95 % interval"):
        table.add_column(name, justify="right")
    for group, found in figures.items():
        table.add_row(group, *(cell for share in (found.caught, found.withheld) for cell in _share_cells(share)))
    console.print(table)


def _share_cells(share: Share) -> tuple[str, str]:
    if share.value is None:
        return "–", ""
    low, high = share.interval
    return f"{share.count}/{share.of} {100 * share.value:.1f} %", f"{100 * low:.1f} … {100 * high:.1f}"


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
    other, earlier = _compared_with(against, "answers", report)
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
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Labelled sets; without --answers at least one for each language")
    ] = None,
    answers: Annotated[
        list[Path] | None, typer.Option("--answers", help="Questions on this instance's own documents; may be repeated")
    ] = None,
    elsewhere: Annotated[
        list[str] | None,
        typer.Option(
            "--elsewhere", help="INSTANCE=QUESTIONS: questions on another instance's documents; may be repeated"
        ),
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
    for pair in elsewhere or []:
        other, separator, file = pair.partition("=")
        if not separator:
            raise ConfigurationError(f"--elsewhere {pair!r}: INSTANCE=QUESTIONS is expected")
        asked += _asked(load_settings(Path(other)), _json_lines(Path(file)))
    reports = calibrate([load_set(folder) for folder in folders or []], embedder, lexicon_of(settings), asked=asked)
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
    retrieval = settings.retrieval.model_dump(exclude={"calibration"})
    return {
        "encoder": encoder_folder(settings).name,
        "embedder": embedder.fingerprint,
        "dense_weights": {language: embedder.dense_weight(language) for language in settings.instance.languages},
        "lexicon": LEXICON_VERSION,
        "retrieval": {name: value.name if isinstance(value, Path) else value for name, value in retrieval.items()},
        "calibration": files_hash([calibration]) if calibration.is_file() else "",
    }


def _ranking_parts(settings: Settings) -> Configuration:
    from assistant.build import embedder_of, retriever_over
    from assistant.evaluation.ranking import Configuration
    from assistant.retrieval import Calibration

    embedder = embedder_of(settings)
    return Configuration(embedder, lambda index: retriever_over(index, settings, embedder, Calibration({})))


def _compared_with(
    against: Path | None, kind: str, report: Path | None
) -> tuple[Settings | None, dict[str, Any] | None]:
    """The other instance, or the earlier report; looked at before anything is measured, like the folder of the new report."""
    from assistant.evaluation.report import read_report, require_writable

    if report is not None:
        require_writable(report)
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
            answer, about = str(line.get("answer_span") or ""), str(line.get("file") or line.get("about") or "")
            for hidden in (False, True) if answer else (False,):
                features = retriever.features(
                    question, language, reader, k=settings.retrieval.passages, without=answer if hidden else ""
                )
                answerable = line.get("label") != "unanswerable" and not hidden
                found.append(AskedQuestion(features, answerable, language, about, hidden=hidden))
    return found


def _json_lines(file: Path) -> list[dict[str, Any]]:
    from assistant.evaluation.answers import question_lines

    return question_lines(file)


def _show(title: str, figures: Mapping[str, Mapping[str, float | None]]) -> None:
    """One row for each system or group; with many figures one row for each figure, so that no heading is cut off."""
    names = list(next(iter(figures.values()), {}))
    if len(names) > _WIDEST:
        turned = {name: {row: values[name] for row, values in figures.items()} for name in names}
        names, figures = list(figures), turned
    table = Table(title=title, box=None, padding=(0, 2, 0, 0), title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
    for row, values in figures.items():
        table.add_row(row, *(_shown(values.get(name)) for name in names))
    console.print(table)


def _shown(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.3f}".removesuffix(".000")
