"""A conversation with a model over HTTP: the follow-up that it completes is searched, one that it invents is not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.endpoint_server import Body, Script, answer
from tests.system.test_composed_answers import QUESTIONS, TRUE, World, _both_there, world

__all__ = ["_both_there", "world"]  # fixtures

FOLLOW_UP = "Et la demande ?"


def conversing(rewritten: str) -> Any:
    """A server that completes questions as `rewritten`, and answers all others truly."""

    def script(body: Body) -> Script:
        is_rewriting = "You rewrite the last question" in body["messages"][0]["content"]
        return answer(rewritten if is_rewriting else f"{TRUE['fr']} [1].")

    return script


@pytest.mark.parametrize(
    ("said", "searched"),
    [
        ("Quand faut-il adresser la demande de télétravail ?", "Quand faut-il adresser la demande de télétravail ?"),
        ("Combien coûte la demande de passeport à Lyon en 2031 ?", f"{QUESTIONS['fr'][:-2]} – la demande ?"),
    ],
)
def test_follow_up_is_searched_as_the_model_completes_it_when_that_holds(
    world: World, said: str, searched: str
) -> None:
    headers = {"authorization": f"Bearer {world.key}", "accept": "application/json"}
    with httpx.Client(base_url=f"{world.url}/v1", headers=headers, timeout=60) as client:
        conversation = client.post("/conversations").json()["id"]
        world.first.script = conversing(said)
        for question in (QUESTIONS["fr"], FOLLOW_UP):
            reply = client.post(f"/conversations/{conversation}/turns", json={"question": question})
            assert reply.status_code == 200, reply.text
        first, second = client.get(f"/conversations/{conversation}").json()["turns"]
        assert first["answer"]["sentences"][0]["text"] == f"{TRUE['fr']}."
        assert (second["question"], second["searched"], second["answer"]["searched"]) == (FOLLOW_UP, searched, searched)
        assert client.delete(f"/conversations/{conversation}").status_code == 200
