"""The language models of an instance: described by the operator, checked at every byte, and none of them indispensable.

`ModelRouter.stream` gives the events of one answer. Whatever a server does (it refuses, stalls, cuts off, sends HTML, another
model's answer, fifty megabytes) becomes one of them, or `ModelsUnavailable`. `client` alone imports LlamaIndex.
"""

from assistant.endpoints.describing import endpoints_of
from assistant.endpoints.exchange import (
    Abilities,
    Broken,
    ChatMessage,
    Ended,
    EndpointDescription,
    EndpointState,
    Limits,
    ModelEvent,
    Need,
    Piece,
    Queued,
    Started,
)
from assistant.endpoints.probing import examined
from assistant.endpoints.router import ModelRouter

__all__ = [
    "Abilities",
    "Broken",
    "ChatMessage",
    "Ended",
    "EndpointDescription",
    "EndpointState",
    "Limits",
    "ModelEvent",
    "ModelRouter",
    "Need",
    "Piece",
    "Queued",
    "Started",
    "endpoints_of",
    "examined",
]
