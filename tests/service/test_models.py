from __future__ import annotations

from typing import Any

from assistant.access import Role
from tests.service.conftest import World
from tests.worlds import reader


def as_operator(world: World, clearance: str = "public") -> str:
    """The token of an operator with this clearance."""
    readers = world.parts.sign_in._readers  # type: ignore[attr-defined]  # the sign-in of these tests
    readers[f"operator-{clearance}"] = reader(clearance, Role.OPERATOR, Role.ARCHIVIST)
    return f"operator-{clearance}"


def test_only_operators_see_and_change_models(world: World) -> None:
    for token in ("weak", "archivist"):
        assert world.get("/v1/adapted-models", token).status_code == 403
        assert world.get("/v1/adapted-models/material", token).status_code == 403
        headers = {"authorization": f"Bearer {token}"}
        assert world.client.put("/v1/adapted-models/in-use", json={"model": "base"}, headers=headers).status_code == 403
        assert world.client.delete("/v1/adapted-models/adapted-x", headers=headers).status_code == 403


def test_training_reads_only_what_its_operator_may_read(world: World) -> None:
    weak = world.get("/v1/adapted-models/material", as_operator(world, "public")).json()
    strong = world.get("/v1/adapted-models/material", as_operator(world, "restricted/tax")).json()
    assert {passage["document_id"] for passage in weak["passages"]} == {world.open_id}, "leaked"
    assert "zyzomys" not in str(weak), "leaked"
    assert {passage["label"] for passage in strong["passages"]} == {"public", "restricted/tax"}


def test_training_up_to_a_label_reads_nothing_above_it_and_nothing_that_its_operator_may_not(world: World) -> None:
    def read(token: str, up_to: str) -> dict[str, Any]:
        found: dict[str, Any] = world.get(f"/v1/adapted-models/material?up_to={up_to}", token).json()
        return found

    weak = world.get("/v1/adapted-models/material", as_operator(world, "public")).json()
    strong = as_operator(world, "restricted/tax")
    assert read(strong, "public") == read(strong, "secret") == weak, "leaked"
    assert read(strong, "restricted/tax") == world.get("/v1/adapted-models/material", strong).json() != weak
    assert read(as_operator(world, "public"), "secret/tax") == weak, "leaked"
    reply = world.get("/v1/adapted-models/material?up_to=everything", strong)
    assert (reply.status_code, reply.json()["error"]["type"]) == (422, "invalid_request")


def test_a_model_that_is_not_there_changes_nothing(world: World) -> None:
    headers = {"authorization": f"Bearer {as_operator(world)}"}
    found = world.client.put("/v1/adapted-models/in-use", json={"model": "adapted-never"}, headers=headers)
    assert (found.status_code, found.json()["error"]["type"]) == (404, "not_found")
    state = world.get("/v1/adapted-models", as_operator(world)).json()
    assert (state["in_use"], state["changing_to"], state["models"]) == ("base", "", [])
