"""Reports, their page, and the command that writes them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assistant.commands.measuring import _show
from assistant.errors import ConfigurationError
from assistant.evaluation import answer_figures, measure_answers
from assistant.evaluation.measurement import Measurement, System
from assistant.evaluation.report import fingerprint, read_report, report_of, with_earlier, write_report
from assistant.evaluation.report_page import page, shown_name

ASKED = {"q1": "Où est <b>le badge</b> ?", "q2": "متى تفتح المكتبة؟", "q3": "When?"}
LANGUAGES = {"q1": "fr", "q2": "ar", "q3": "en"}


def measured(**systems: tuple[float | None, ...]) -> Measurement:
    """`ours` and its rivals, with one score for each of the three questions."""
    found = {
        name: System({key: {"hit": score} for key, score in zip(ASKED, scores, strict=True) if score is not None})
        for name, scores in systems.items()
    }
    rivals = tuple(name for name in systems if name != "ours")
    return Measurement("retrieval", "petit", LANGUAGES, ASKED, ("hit",), found, "ours", rivals)


def test_figures_intervals_and_differences_by_hand() -> None:
    report = report_of(measured(ours=(1.0, 0.5, None), theirs=(1.0, 0.0, 0.0)), {"a": 1}, set_hash="abc")
    assert report["systems"]["ours"]["figures"] == {"hit": 0.75}
    assert report["systems"]["ours"]["intervals"]["hit"] == [0.5, 1.0]
    assert report["systems"]["ours"]["scores"]["hit"] == [1.0, 0.5, None]
    assert report["systems"]["theirs"]["figures"]["hit"] == pytest.approx(1 / 3, abs=1e-6)
    difference = report["comparisons"]["theirs"]["hit"]
    assert (difference["queries"], difference["difference"]) == (2, 0.25)  # over the questions that both have


def test_report_names_code_versions_and_machine_and_no_folder_of_it() -> None:
    report = report_of(measured(ours=(1, 1, 1)), {"encoder": "model"}, set_hash="abc")
    assert report["versions"].keys() >= {"assistant", "python", "bm25s", "llama-index-core", "qdrant-edge-py"}
    assert report["machine"]["cores"] > 0
    assert report["fingerprint"] == fingerprint(report["configuration"])
    assert str(Path(__file__).resolve().parents[2]) not in json.dumps(report)


class Checker(HTMLParser):
    """Collects what a page would load, and whether its tags match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        if tag not in ("meta", "br", "rect", "path", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_needs_nothing_else_and_takes_no_markup_from_questions() -> None:
    text = page(report_of(measured(ours=(0.0, 0.5, 1.0), theirs=(1.0, 1.0, 0.0)), {}, set_hash="abc"))
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert all(link.startswith("#") for link in checker.loads)
    assert not {"script", "link", "img", "iframe", "b"} & set(checker.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert "&lt;b&gt;le badge&lt;/b&gt;" in text
    assert '<span lang="ar" dir="auto">متى تفتح المكتبة؟</span>' in text
    assert "prefers-color-scheme:dark" in text


def test_lost_questions_come_furthest_first_and_only_those() -> None:
    text = page(report_of(measured(ours=(0.0, 0.5, 1.0), best=(1.0, 1.0, 1.0), worse=(1.0, 0, 0)), {}, set_hash=""))
    lost = text[text.index('<section id="lost">') : text.index('<section id="made">')]
    assert re.findall(r"<small>(q\d)</small>", lost) == ["q1", "q2"]
    assert "2 of 3 questions" in lost


def test_plot_draws_bars_as_long_as_the_figures() -> None:
    text = page(report_of(measured(ours=(1, 1, 1), theirs=(0.5, 0.5, 0.5)), {}, set_hash=""))
    full, half = re.findall(r'<rect class="(?:ours|other)" x="\d+" y="\d+" width="([\d.]+)"', text)
    assert float(full) == pytest.approx(2 * float(half))


def test_plot_has_room_for_the_longest_name() -> None:
    drawn = page(report_of(measured(ours=(1, 1, 1), theirs=(0.5, 0.5, 0.5)), {}, set_hash=""))
    edge = min(float(x) for x in re.findall(r'<text x="([0-9.]+)" y="[0-9]+" text-anchor="end">', drawn))
    assert edge >= 7.4 * len(shown_name("baseline:bm25s"))  # a letter of 13 px is at most so wide on average


def test_earlier_report_becomes_a_rival_on_the_questions_that_are_the_same(tmp_path: Path) -> None:
    earlier = report_of(measured(ours=(0.0, 0.0, 1.0)), {}, set_hash="abc")
    earlier["questions"][2]["text"] = "When exactly?"
    write_report(earlier, tmp_path)
    both = with_earlier(
        measured(ours=(1.0, 1.0, 0.0)), read_report(tmp_path / "report.json", "retrieval"), file=tmp_path
    )
    difference = both.comparisons()["against"]["hit"]
    assert (difference.queries, difference.difference) == (2, 1.0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ('{"format": "something/2"}', "not a report of this version"),
        ('{"format": "assistant/evaluation-report/1", "kind": "answers"}', "a report of `evaluate answers`"),
        ('{"format": "assistant/evaluation-report/1", "kind": "retrieval"}', "not a whole report, it lacks 'ours'"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        read_report(file, "retrieval")


def test_report_without_a_question_in_common_is_refused(tmp_path: Path) -> None:
    earlier = report_of(measured(ours=(1, 1, 1)), {}, set_hash="abc")
    for question in earlier["questions"]:
        question["text"] += " !"
    with pytest.raises(ConfigurationError, match="no question of petit"):
        with_earlier(measured(ours=(1, 1, 1)), earlier, file=tmp_path)


def test_answers_are_reported_by_language_and_failed_questions_are_named() -> None:
    """Of three answers one holds the words, one cites the right page and another one, one speaks where it should not."""
    page_two = {"file_name": "a.pdf", "page_number": 2, "boxes": []}
    elsewhere = {"file_name": "b.pdf", "page_number": 1, "boxes": []}
    replies = {
        "un": {"outcome": "answered", "text": "le badge bleu", "citations": [page_two]},
        "deux": {"outcome": "answered", "text": "autre chose", "citations": [page_two, elsewhere]},
        "three": {"outcome": "answered", "text": "anything", "citations": [elsewhere]},
    }
    gold = {"lang": "fr", "file": "a.pdf", "page": 2, "answer_span": "badge bleu"}
    unanswerable = {"question": "three", "lang": "en", "label": "unanswerable"}
    lines = [{"question": "un", **gold}, {"question": "deux", **gold}, unanswerable]
    measured = measure_answers(lines, lambda question, language: replies[question], name="questions")
    report = report_of(measured, {}, set_hash="")
    assert report["systems"]["assistant"]["figures"]["citation_precision"] == 0.75
    assert report["systems"]["language:fr"]["figures"]["span_found"] == 0.5
    assert report["systems"]["language:en"]["figures"]["abstained_unanswerable"] == 0.0
    text = page(report)
    lost = text[text.index('<section id="lost">') : text.index('<section id="made">')]
    assert re.findall(r'dir="auto">(\w+)<', lost) == ["deux", "three"]
    assert "Differences" not in text

    better = measure_answers(lines, lambda question, language: replies["un"], name="questions")
    difference = measured.beside(better).comparisons()["against"]["span_found"]
    assert (difference.queries, difference.difference) == (2, -0.5)


def test_more_wrong_silence_is_called_worse() -> None:
    measure = "abstained_answerable"
    systems = {
        name: System({str(n): {"span_found": 0.0, measure: score} for n in range(30)})
        for name, score in (("assistant", 1.0), ("against", 0.0))
    }
    texts = {str(n): f"question {n}" for n in range(30)}
    silent = Measurement(
        "answers", "q", dict.fromkeys(texts, "fr"), texts, ("span_found", measure), systems, "assistant", ("against",)
    )
    assert "<td class=worse>worse</td>" in page(report_of(silent, {}, set_hash=""))


def test_every_figure_of_answers_is_named_in_full_on_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    reply = {"outcome": "no_evidence", "text": "", "citations": []}
    lines = [{"question": "Où ?", "lang": "fr", "label": "unanswerable"}]
    _show("questions", answer_figures(measure_answers(lines, lambda question, language: reply, name="questions")))
    shown = capsys.readouterr().out.split()
    for name in ("questions", "abstained_unanswerable", "abstained_answerable", "citation_precision", "total", "ar"):
        assert name in shown
