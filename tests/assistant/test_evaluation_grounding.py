from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from assistant.build import verifier_of
from assistant.cli import app
from assistant.config import load_settings
from assistant.embedding import HashEmbedder
from assistant.errors import ConfigurationError
from assistant.evaluation.grounding import (
    STRICT,
    Claim,
    Share,
    greatest_cosine,
    grounding_figures,
    grounding_measurement,
    judge_above,
    judged,
    read_claims,
    word_share,
    write_predictions,
)
from assistant.evaluation.report import report_of, write_report
from assistant.lexical import Lexicon
from tests.worlds import instance_file

PASSAGE = "Le congé annuel est de vingt-sept jours. La prime de juin est versée aux agents titulaires."


def line(key: str, claim: str, *, supported: bool, **more: Any) -> dict[str, Any]:
    return {"id": key, "lang": "fr", "claim": claim, "passages": [PASSAGE], "supported": supported} | more


def written(file: Path, *lines: object) -> Path:
    texts = [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in lines]
    file.write_text("\n".join(texts), encoding="utf-8")
    return file


LINES = (
    line("a", "Le congé annuel est de vingt-sept jours.", supported=True, kind="quote"),
    line("b", "Les agents titulaires ont une prime en juin.", supported=True, kind="paraphrase"),
    line("c", "Le congé annuel est de trente jours.", supported=False, kind="figure"),
    line("d", "La mairie ferme à midi.", supported=False, kind="invention", documents=["note.pdf"]),
    line("e", "Annual leave is twenty-seven days.", supported=False, lang="en"),
)


def small_set(folder: Path) -> Path:
    return written(folder / "set.jsonl", *LINES, "")


def test_lines_are_read_with_and_without_kind_and_unknown_keys_are_ignored(tmp_path: Path) -> None:
    claims = read_claims(small_set(tmp_path))
    assert [claim.id for claim in claims] == ["a", "b", "c", "d", "e"]
    assert claims[0] == Claim("a", "fr", "Le congé annuel est de vingt-sept jours.", (PASSAGE,), True, "quote")
    assert claims[4].kind == ""


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("{", "line 2: not valid JSON"),
        ("[]", "line 2: one JSON object a line is expected"),
        ("[" * 100_000, "line 2: not valid JSON"),
        ('{"id": "x", "lang": "fr", "claim": "\\ud800", "passages": []}', "line 2: it has half a character"),
        (line("x", "x", supported=True) | {"id": True}, "line 2: 'id' is missing"),
        (line("", "x", supported=True), "line 2: 'id' is missing"),
        (line("x", " ", supported=True), "line 2: 'claim' is missing"),
        (line("x", "x", supported=True) | {"lang": 5}, "line 2: 'lang' is not a text"),
        (line("x", "x", supported=True) | {"passages": None}, "line 2: 'passages'"),
        (line("x", "x", supported=True) | {"passages": ["x", 1]}, "line 2: 'passages'"),
        (line("x", "x", supported=True) | {"passages": PASSAGE}, "line 2: 'passages'"),
        (line("x", "x", supported=True) | {"supported": "yes"}, "line 2: 'supported'"),
        (line("a", "x", supported=True), "line 2: the id 'a' stands on an earlier line"),
    ],
)
def test_bad_line_is_told_by_file_and_number(tmp_path: Path, second: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_claims(written(tmp_path / "set.jsonl", LINES[0], second))


def test_absent_empty_or_foreign_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_claims(tmp_path / "absent.jsonl")
    with pytest.raises(ConfigurationError, match="no lines"):
        read_claims(written(tmp_path / "empty.jsonl", ""))
    (tmp_path / "latin.jsonl").write_bytes("é".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        read_claims(tmp_path / "latin.jsonl")


def test_caught_and_withheld_by_language_and_kind(tmp_path: Path) -> None:
    claims = read_claims(small_set(tmp_path))
    figures = grounding_figures(claims, {"a": True, "b": False, "c": True, "d": False, "e": False})
    assert set(figures) == {"total", "fr", "en", STRICT, "quote", "paraphrase", "figure", "invention"}
    assert (figures["total"].caught, figures["total"].withheld) == (Share(2, 3), Share(1, 2))
    assert (figures["fr"].caught, figures["en"].caught) == (Share(1, 2), Share(1, 1))
    assert figures[STRICT].caught == figures["figure"].caught == Share(0, 1)
    assert figures["figure"].withheld.value is None


def test_interval_is_wilsons() -> None:
    low, high = Share(8, 10).interval  # by hand: (0.8 + 0.19207 ± 1.96·sqrt(0.016 + 0.0096)) / 1.38415
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert Share(0, 0).interval == (0.0, 1.0)


def test_word_baseline_sees_a_missing_word_and_no_changed_meaning(tmp_path: Path) -> None:
    score = word_share(Lexicon(("fr", "en")))
    quoted, _, changed, invented, _ = read_claims(small_set(tmp_path))
    assert score(quoted) == 1.0
    assert score(changed) == pytest.approx(3 / 4)
    assert score(invented) < 0.5


def test_cosine_baseline_takes_the_nearest_sentence(tmp_path: Path) -> None:
    quoted, _, _, invented, _ = claims = read_claims(small_set(tmp_path))
    score = greatest_cosine(HashEmbedder(), claims)
    assert score(quoted) == pytest.approx(1.0)
    assert score(invented) < 0.5


def test_threshold_withholds_no_more_supported_claims_than_allowed() -> None:
    scores = {f"s{n}": n / 25 for n in range(25)}  # 8 % of 25 are 2: s0 and s1 may be withheld
    claims = [Claim(key, "fr", key, ("p",), True) for key in scores]
    judge = judge_above(lambda claim: scores.get(claim.id, 0.0), claims)
    assert [claim.id for claim in claims if not judge(claim)] == ["s0", "s1"]
    assert judge(Claim("s9", "en", "unknown language", ("p",), True))
    with pytest.raises(ConfigurationError, match="no supported sentence"):
        judge_above(lambda _: 0.0, [])


def test_predictions_and_report_are_written(tmp_path: Path) -> None:
    claims = read_claims(small_set(tmp_path))
    ours = judged(claims, lambda claim: claim.supported)
    other = judged(claims, lambda _: True)
    write_predictions(claims, ours.supported, tmp_path / "out" / "predictions.jsonl")
    lines = [json.loads(text) for text in (tmp_path / "out" / "predictions.jsonl").read_text("utf-8").splitlines()]
    assert lines[1:3] == [{"id": "b", "verdict": "supported"}, {"id": "c", "verdict": "unsupported"}]

    measured = grounding_measurement("set", claims, {"assistant": ours, "baseline:words": other})
    assert measured.comparisons()["baseline:words"]["caught"].difference == 1.0
    write_report(report_of(measured, {}, set_hash="0"), tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "Evaluation of grounding: set" in page
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_predictions(claims, ours.supported, tmp_path / "out")


def test_every_line_gets_a_verdict_in_its_place_under_the_id_it_was_given(tmp_path: Path) -> None:
    """Numbers stay numbers; a line without `supported`, without `lang` or without any passage gets its verdict too."""
    given = [
        line("a", "Le congé annuel est de vingt-sept jours.", supported=True),
        {"id": 7, "claim": "Le congé annuel est de vingt-sept jours.", "passages": [PASSAGE]},
        {"id": 3, "lang": "fr-FR", "claim": "Le congé annuel est de vingt-sept jours.", "passages": []},
        {"id": "7b", "lang": None, "claim": "La mairie ferme à midi.", "passages": ["", PASSAGE], "supported": None},
    ]
    out = tmp_path / "out.jsonl"
    run = evaluated(written(tmp_path / "set.jsonl", *given), "--predictions", str(out))
    assert run.exit_code == 0
    assert [json.loads(text) for text in out.read_text("utf-8").splitlines()] == [
        {"id": "a", "verdict": "supported"},
        {"id": 7, "verdict": "supported"},
        {"id": 3, "verdict": "unsupported"},
        {"id": "7b", "verdict": "unsupported"},
    ]
    assert "3 of 4 lines do not say 'supported'" in run.stderr
    assert json.loads(run.stdout)["assistant"]["total"]["wrongly_withheld"]["of"] == 1


def test_lines_without_any_label_give_verdicts_and_no_figures(tmp_path: Path) -> None:
    file = written(tmp_path / "set.jsonl", {"id": "a", "claim": "La mairie ferme.", "passages": [PASSAGE]})
    with pytest.raises(ConfigurationError, match="no line has 'supported'; add --predictions"):
        evaluated(file)
    run = evaluated(file, "--predictions", str(tmp_path / "out.jsonl"))
    assert (run.exit_code, run.stdout) == (0, "")
    assert json.loads((tmp_path / "out.jsonl").read_text("utf-8")) == {"id": "a", "verdict": "unsupported"}


def test_verdicts_never_take_the_place_of_the_lines_and_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = small_set(tmp_path)
    before = file.read_bytes()
    with pytest.raises(ConfigurationError, match="would overwrite the lines"):
        evaluated(file, "--predictions", str(tmp_path / "x" / ".." / file.name))
    assert file.read_bytes() == before
    out = tmp_path / "out.jsonl"
    out.write_text("earlier\n", encoding="utf-8")
    claims = read_claims(file)
    with pytest.raises(KeyError):
        write_predictions(claims, {claims[0].id: True}, out)
    assert out.read_text(encoding="utf-8") == "earlier\n"


def test_where_nothing_can_be_written_is_told_before_anything_is_measured(tmp_path: Path) -> None:
    file = small_set(tmp_path)
    for option in ("--report", "--predictions"):
        with pytest.raises(ConfigurationError, match="nothing can be written there"):
            evaluated(file, option, str(file / "below" / "a file"))


def evaluated(file: Path, *options: str) -> Result:
    """`assistant evaluate grounding` on an instance of its own, errors raised."""
    instance = file.parent / "instance.toml"
    if not instance.exists():
        instance_file(file.parent)
    command = ["evaluate", "grounding", str(file), "--json", "--instance", str(instance), *options]
    return CliRunner().invoke(app, command, catch_exceptions=False)


def test_inference_model_is_looked_for_beside_the_instance_file(tmp_path: Path) -> None:
    settings = load_settings(instance_file(tmp_path, extra='[grounding]\nentailment = "nli"\n'))
    with pytest.raises(ConfigurationError, match=f"{tmp_path}/nli' is not a model folder"):
        verifier_of(settings)
