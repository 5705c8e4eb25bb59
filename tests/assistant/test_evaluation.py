from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.build import opened_retriever
from assistant.commands.measuring import _asked
from assistant.config import load_settings
from assistant.embedding import HashEmbedder
from assistant.errors import ConfigurationError, InstanceBusy
from assistant.evaluation import (
    AskedQuestion,
    calibrate,
    calibration_toml,
    evaluate_answers,
    evaluate_retrieval,
    load_set,
)
from assistant.evaluation.answers import question_lines
from assistant.evaluation.calibration import FOLDS, _folds
from assistant.evaluation.rankings import means, ranking_scores
from assistant.lexical import Lexicon
from assistant.relevance import NO_SUPPORT
from assistant.retrieval import Calibration
from assistant.types import LANGUAGES
from tests.shared import shared_data
from tests.worlds import instance_file

LEXICON = Lexicon(LANGUAGES)
SUBJECTS = ("le congé", "la prime", "le badge", "la cantine", "le parking", "la salle", "le budget", "la piscine")


def small_set(folder: Path) -> Path:
    corpus = [{"_id": f"d{n}", "text": f"{what} coûte {n + 3} euros par mois."} for n, what in enumerate(SUBJECTS)]
    queries = [{"_id": f"q{n}", "text": f"Combien coûte {what} par mois ?"} for n, what in enumerate(SUBJECTS)]
    for name, lines in (("corpus", corpus), ("queries", [*queries, {"_id": "unjudged", "text": "Quoi ?"}])):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    qrels = "\n".join(f"q{n}\td{n}\t1" for n in range(len(SUBJECTS)))
    (folder / "qrels.tsv").write_text(f"query-id\tcorpus-id\tscore\n{qrels}\nq0\td1\t0\n", encoding="utf-8")
    return folder


def test_set_keeps_judged_queries_and_positive_grades(tmp_path: Path) -> None:
    loaded = load_set(small_set(tmp_path))
    assert (loaded.language, len(loaded.passages), len(loaded.queries)) == ("fr", 8, 8)
    assert loaded.relevant["q0"] == {"d0": 1}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("corpus.jsonl", "{", "corpus.jsonl: line 1: not valid JSON"),
        ("corpus.jsonl", '\n\n{"_id": "d", "text": "a"}\n\n[]', "corpus.jsonl: line 5: one JSON object"),
        ("corpus.jsonl", "[" * 100_000, "corpus.jsonl: line 1: not valid JSON"),
        ("corpus.jsonl", '{"_id": "d", "text": null}', "corpus.jsonl: line 1: 'text' is missing, or not a text"),
        ("corpus.jsonl", '{"_id": "d", "text": "\\ud800"}', "corpus.jsonl: line 1: it has half a character"),
        ("corpus.jsonl", '{"_id": null, "text": "a"}', "corpus.jsonl: line 1: '_id' is missing"),
        (
            "corpus.jsonl",
            '{"_id": "d", "text": "a"}\n{"_id": "d", "text": "b"}',
            "line 2: the id 'd' stands on an earlier",
        ),
        ("corpus.jsonl", "\n", "corpus.jsonl: no lines"),
        ("queries.jsonl", '{"_id": "q"}', "queries.jsonl: line 1: 'text' is missing"),
        ("queries.jsonl", '{"_id": "q", "text": "a", "lang": 5}', "queries.jsonl: line 1: 'lang' is not a text"),
        ("queries.jsonl", '{"_id": "q1", "text": " "}', "queries.jsonl: the query 'q1' has no text"),
        ("qrels.tsv", "head\nq1 d1 1", "qrels.tsv: line 2"),
        ("qrels.tsv", "head\nq1\td1\tNaN", "qrels.tsv: line 2"),
        ("qrels.tsv", "head\nq1\td1\t1.5", "qrels.tsv: line 2"),
        ("qrels.tsv", "head\nq1\td1\t1e30", "qrels.tsv: line 2"),
        ("qrels.tsv", "head\nq1\td1\t1\n\nq1\td1\t2", "qrels.tsv: line 4 judges a pair differently"),
        ("qrels.tsv", "head\n", "no query has a relevant document"),
        ("qrels.tsv", None, "qrels.tsv: cannot be read"),
    ],
)
def test_malformed_set_is_told_by_file_and_line(tmp_path: Path, file: str, content: str | None, message: str) -> None:
    folder = small_set(tmp_path)
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        load_set(folder)


def test_set_saved_by_a_spreadsheet_loads_alike_and_loses_no_judgement(tmp_path: Path) -> None:
    plain = load_set(small_set(tmp_path))
    for file in tmp_path.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\t1\n", b"\t1.0\n").replace(b"\n", b"\r\n"))
    assert load_set(tmp_path) == plain
    qrels = (tmp_path / "qrels.tsv").read_bytes()
    (tmp_path / "qrels.tsv").write_bytes(qrels.partition(b"\n")[2])
    assert load_set(tmp_path) == plain, "the first line was taken for a heading"


def test_judgements_of_what_is_not_there_are_told_and_do_not_stop_the_measuring(tmp_path: Path) -> None:
    with (small_set(tmp_path) / "qrels.tsv").open("a", encoding="utf-8") as qrels:
        qrels.write("nobody\td1\t1\nq1\tabsent\t1\n")
    loaded = load_set(tmp_path)
    assert set(loaded.relevant) == set(loaded.queries) == {f"q{n}" for n in range(8)}
    assert loaded.relevant["q1"] == {"d1": 1, "absent": 1}
    about_queries, about_documents = loaded.remarks
    assert "1 queries that queries.jsonl lacks (nobody)" in about_queries
    assert "1 relevant documents that corpus.jsonl lacks (absent)" in about_documents


def test_each_line_of_a_set_is_in_its_own_language(tmp_path: Path) -> None:
    small_set(tmp_path)
    for name, lines in {
        "corpus": (
            '{"_id": "a", "text": "الإجازة السنوية ثلاثون يوما"}',
            '{"_id": "e", "text": "2024", "lang": "en-GB"}',
        ),
        "queries": (
            '{"_id": "qa", "text": "كم مدة الإجازة السنوية؟"}',
            '{"_id": "qe", "text": "Which year?", "lang": "de"}',
        ),
        "qrels": ("qa\ta\t1", "qe\te\t1"),
    }.items():
        with (tmp_path / f"{name}.{'tsv' if name == 'qrels' else 'jsonl'}").open("a", encoding="utf-8") as file:
            file.write("".join(f"\n{line}" for line in lines))
    loaded = load_set(tmp_path)
    assert [passage.language for passage in loaded.passages] == ["fr"] * 8 + ["ar", "en"]
    assert (loaded.language, loaded.languages["q0"], loaded.languages["qa"], loaded.languages["qe"]) == (
        "fr",
        "fr",
        "ar",
        "en",
    )
    assert loaded.remarks == (
        "1 languages are not the assistant's (de); their lines are read as the nearest of its own",
    )


def test_figures_by_hand() -> None:
    relevant = {"first": {"a": 1}, "second": {"a": 1}, "none": {"a": 1}}
    scores = ranking_scores(relevant, {"first": ("a", "b"), "second": ("b", "a")})
    assert scores["mrr@10"] == {"first": 1.0, "second": 0.5, "none": 0.0}
    figures = means(scores)
    assert figures["mrr@10"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert figures["ndcg@10"] == pytest.approx((1 + 0.63093 + 0) / 3, abs=1e-5)
    assert figures["recall@5"] == figures["recall@20"] == pytest.approx(2 / 3)


def test_grades_and_depth_count_as_the_measures_say() -> None:
    """nDCG@10 of grades 2 and 1 in the wrong order; a sixth and a 21st rank are beyond 5 and 20."""
    ranking = tuple(f"x{n}" for n in range(30))
    scores = ranking_scores(
        {"graded": {"a": 2, "b": 1}, "deep": {"x5": 1, "x20": 1}}, {"graded": ("b", "a"), "deep": ranking}
    )
    assert scores["ndcg@10"]["graded"] == pytest.approx((1 + 2 / 1.58496) / (2 + 1 / 1.58496), abs=1e-4)
    assert (scores["recall@5"]["deep"], scores["recall@20"]["deep"]) == (0.0, 0.5)
    assert scores["mrr@10"]["deep"] == pytest.approx(1 / 6)


def test_retrieval_is_measured_on_every_route(tmp_path: Path) -> None:
    figures = evaluate_retrieval(load_set(small_set(tmp_path)), HashEmbedder(), LEXICON)
    assert set(figures) == {"dense", "bm25", "hybrid"}
    for row in figures.values():
        assert set(row) == {"ndcg@10", "recall@5", "recall@20", "mrr@10", "p50_ms", "p95_ms"}
        assert row["recall@20"] == 1.0
        assert 0 < row["p50_ms"] <= row["p95_ms"]
    assert figures["bm25"]["mrr@10"] == 1.0


def test_calibration_tells_answerable_from_unanswerable_and_is_read_back(tmp_path: Path) -> None:
    embedder = HashEmbedder()
    report = calibrate([load_set(small_set(tmp_path))], embedder, LEXICON)["fr"]
    assert report.auc > 0.9
    assert report.rightly_abstained > 0.5
    text = calibration_toml(dict.fromkeys(LANGUAGES, report), date=datetime.date(2026, 11, 22), embedder=embedder)
    file = tmp_path / "calibration.toml"
    file.write_text(text, encoding="utf-8")
    assert Calibration.load(file).threshold("ar") == pytest.approx(report.calibration.threshold, abs=1e-4)


def asked(language: str, answerable: bool, kind_missing: float) -> AskedQuestion:
    return AskedQuestion(NO_SUPPORT | {"kind_missing": kind_missing, "kind_elsewhere": 0.0}, answerable, language)


def test_asked_questions_outweigh_the_sets_and_set_the_threshold_of_their_language(tmp_path: Path) -> None:
    questions = [asked("fr", bool(n % 2), float(n % 2 == 0)) for n in range(40)]
    report = calibrate([load_set(small_set(tmp_path))], HashEmbedder(), LEXICON, asked=questions)["fr"]
    assert report.judged_on == ("asked questions",)
    assert (report.queries, report.auc, report.rightly_abstained) == (20, 1.0, 1.0)
    assert report.wrongly_abstained <= 0.1
    model = report.calibration
    answerable, unanswerable = (model.support(asked("fr", True, missing).features) for missing in (0.0, 1.0))
    assert unanswerable < model.threshold <= answerable


def test_language_without_asked_questions_takes_its_threshold_from_its_sets(tmp_path: Path) -> None:
    questions = [asked("en", bool(n % 2), float(n % 2 == 0)) for n in range(40)]
    reports = calibrate([load_set(small_set(tmp_path))], HashEmbedder(), LEXICON, asked=questions)
    assert reports["en"].judged_on == ("asked questions",)
    assert reports["fr"].judged_on != ("asked questions",)


def test_questions_about_one_document_are_in_one_fold() -> None:
    questions = [replace(asked("fr", True, 0.0), document=f"d{n // 4}") for n in range(48)]
    folds = [{fold for fold, _ in group} for group in _by_document(questions)]
    assert all(len(fold) == 1 for fold in folds)
    assert len(set().union(*folds)) == FOLDS


def _by_document(questions: Sequence[AskedQuestion]) -> list[list[tuple[int, str]]]:
    placed = list(zip(_folds(questions), (question.document for question in questions), strict=True))
    return [[pair for pair in placed if pair[1] == document] for document in {name for _, name in placed}]


def test_question_whose_answer_was_hidden_is_fitted_on_and_not_counted() -> None:
    questions = [asked("fr", bool(n % 2), float(n % 2 == 0)) for n in range(40)]
    hidden = [replace(asked("fr", False, 0.0), hidden=True) for _ in range(20)]
    without, with_them = (
        calibrate([], HashEmbedder(), LEXICON, asked=lines)["fr"] for lines in (questions, questions + hidden)
    )
    assert (with_them.queries, with_them.auc) == (without.queries, 1.0)
    assert with_them.calibration.coefficients != without.calibration.coefficients


def reply(outcome: str, text: str = "", *citations: dict[str, Any]) -> Mapping[str, Any]:
    return {"outcome": outcome, "text": text, "citations": list(citations)}


def cited(file_name: str, page_number: int | None, *more_pages: int) -> dict[str, Any]:
    return {"file_name": file_name, "page_number": page_number, "boxes": [[page, {}] for page in more_pages]}


ANSWERS = {
    "hit": reply("answered", "L'agent est disponible [1]", cited("x.pdf", 9), cited("a.pdf", 2)),
    "next page": reply("answered", "autre chose", cited("a.pdf", 2, 2, 3)),
    "wrong": reply("answered", "autre chose", cited("b.pdf", 3)),
    "no pages": reply("answered", "L’AGENT EST\nDISPO-\nNIBLE", cited("a.docx", None)),
    "silent": reply("no_evidence"),
    "silent with leads": reply("no_evidence", "rien", cited("b.pdf", 1), cited("a.pdf", 2)),
}


def line(question: str, lang: str = "fr", file: str = "a.pdf", page: int | None = 2) -> dict[str, Any]:
    return {"question": question, "lang": lang, "file": file, "page": page, "answer_span": "l’agent est disponible"}


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("{", "line 2: not valid JSON"),
        ({"lang": "fr"}, "line 2: 'question' is missing"),
        ({"question": 3}, "line 2: 'question' is missing, or not a text"),
        ({"question": "x", "file": "a.pdf"}, "line 2: 'answer_span' is missing"),
        ({"question": "x", "file": "a.pdf", "answer_span": " "}, "line 2: 'answer_span' is missing"),
        ({"question": "x", "answer_span": "y"}, "line 2: 'file' is missing"),
        ({"question": "x", "file": "a.pdf", "answer_span": "y", "page": "2"}, "line 2: 'page' is not a whole number"),
    ],
)
def test_bad_question_is_told_before_any_is_asked(tmp_path: Path, second: object, message: str) -> None:
    text = second if isinstance(second, str) else json.dumps(second)
    (tmp_path / "q.jsonl").write_text(f"{json.dumps(line('hit'))}\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        question_lines(tmp_path / "q.jsonl")


def test_questions_are_read_with_a_byte_order_mark_any_line_end_in_a_text_and_no_language(tmp_path: Path) -> None:
    asked = {"question": "When does\u2028the office open?", "label": "unanswerable"}
    text = f"\ufeff{json.dumps(asked, ensure_ascii=False)}\r\n\n"
    (tmp_path / "q.jsonl").write_bytes(text.encode())
    assert question_lines(tmp_path / "q.jsonl") == [asked | {"lang": "en"}]
    (tmp_path / "q.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no lines"):
        question_lines(tmp_path / "q.jsonl")


def test_a_figure_is_not_found_within_a_longer_one() -> None:
    asked = line("?") | {"answer_span": "27"}
    for text, found in (("en 2027", 0.0), ("dure 27 jours", 1.0), ("n° 27-4", 1.0), ("127", 0.0)):
        figures = evaluate_answers([asked], lambda *_, said=text: reply("answered", said))
        assert figures["total"]["span_found"] == found, text


def test_answers_are_counted_as_told() -> None:
    lines = [
        line("hit"),
        line("next page", page=3),
        line("wrong", "en"),
        line("no pages", "en", "a.docx", None),
        line("silent", "en"),
        line("silent with leads", "ar"),
        line("silent with leads", "ar", page=3),
        {"question": "silent", "lang": "fr", "label": "unanswerable"},
        {"question": "hit", "lang": "fr", "label": "unanswerable"},
    ]
    figures = evaluate_answers(lines, lambda question, language: ANSWERS[question])
    assert figures["fr"] == {
        "questions": 4, "file_hit": 1.0, "page_hit": 1.0, "span_found": 0.5,
        "abstained_unanswerable": 0.5, "abstained_answerable": 0.0, "citation_precision": 0.75, "citation_recall": 1.0,
        "led_to_place": None,
    }  # fmt: skip
    assert figures["en"] == {
        "questions": 3, "file_hit": 1 / 3, "page_hit": 0.0, "span_found": 1 / 3,
        "abstained_unanswerable": None, "abstained_answerable": 1 / 3, "citation_precision": 0.5, "citation_recall": 1 / 3,
        "led_to_place": 0.0,
    }  # fmt: skip
    assert figures["ar"] == {
        "questions": 2, "file_hit": 0.0, "page_hit": 0.0, "span_found": 0.0,
        "abstained_unanswerable": None, "abstained_answerable": 1.0, "citation_precision": None, "citation_recall": 0.0,
        "led_to_place": 0.5,
    }  # fmt: skip
    assert figures["total"]["questions"] == 9


@pytest.mark.parametrize("name", ["fr-piaf", "ar-xquad", "en-medquad"])
def test_shared_set_loads_in_its_language(name: str) -> None:
    assert load_set(shared_data() / "retrieval" / name).language == name[:2]


def test_questions_on_own_documents_are_asked_of_the_index_alone_and_exclusively(tmp_path: Path) -> None:
    settings = load_settings(instance_file(tmp_path))
    lines = [{"question": "ما الأجل؟", "lang": "ar", "label": "unanswerable"}]
    (found,) = _asked(settings, lines)
    assert (found.answerable, found.language, dict(found.features)) == (False, "ar", NO_SUPPORT)
    with opened_retriever(settings), pytest.raises(InstanceBusy):
        _asked(settings, lines)
