"""Models adapted to this instance's own texts, for operators: what there is, what to train on, which one is in use.

Every route requires the operator role. What training reads is what this operator may read, and nothing else. They do not lie at
`/models`, where clients of the OpenAI interface look for the list of models.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from assistant.access import Label, Principal, Role
from assistant.adaptation.material import material
from assistant.errors import ConfigurationError, Forbidden, InvalidRequest
from assistant.service.requests import Reader, Serving
from assistant.service.wire import plain

router = APIRouter(prefix="/adapted-models", tags=["models"])


class ModelBody(BaseModel):
    """The model to use: `base`, or the name of an adapted one."""

    model_config = ConfigDict(extra="forbid")
    model: str


@router.get("")
def list_models(parts: Serving, reader: Reader) -> dict[str, Any]:
    """The adapted models, which one is in use, and how far a change is."""
    _require_operator(reader)
    models = [{"name": model.name, **model.manifest} for model in parts.models.all()]
    return {**plain(parts.model.state()), "models": models}


@router.put("/in-use", status_code=202)
def use(body: ModelBody, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Begin to change to a model. Questions are answered by the former one until the new index is complete."""
    _require_operator(reader)
    state: dict[str, Any] = plain(parts.model.change_to(body.model))
    return state


@router.delete("/{name}")
def remove(name: str, parts: Serving, reader: Reader) -> dict[str, Any]:
    """Delete an adapted model that is not in use."""
    _require_operator(reader)
    if name in (parts.model.state().in_use, parts.model.state().changing_to):
        raise Forbidden(f"{name} is in use; change to another model first")
    parts.models.remove(name)
    return {"removed": name}


@router.get("/material")
def training_material(
    parts: Serving,
    reader: Reader,
    most: Annotated[int, Query(ge=1, le=200_000)] = 20_000,
    up_to: Annotated[str, Query(max_length=1000)] = "",
) -> dict[str, Any]:
    """The passages and gold questions to train on: documents chosen by chance until they have `most` passages.

    With the label `up_to` only those that a reader cleared for it may read as well.
    """
    _require_operator(reader)
    try:
        highest = Label.parse(up_to) if up_to else None
    except ConfigurationError as error:
        raise InvalidRequest(str(error)) from error
    gold = parts.gold.all(reader) if Role.ARCHIVIST in reader.roles else ()
    found: dict[str, Any] = plain(material(parts.index, gold, reader, most=most, up_to=highest))
    return found


def _require_operator(reader: Principal) -> None:
    if Role.OPERATOR not in reader.roles:
        raise Forbidden("models are for operators")
