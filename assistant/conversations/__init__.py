"""What a reader asked and was told, kept for that reader alone, for as long as the instance says.

Promise: nobody but the reader who asked finds, sees or changes a conversation, and what it once showed is shown again only
while that reader may read the source. What is deleted, and what a document that was erased had said, cannot be read from any
file afterwards: each turn is sealed under a key of its own.
"""

from assistant.conversations.records import (
    Conversation,
    Feedback,
    GivenFeedback,
    ReadDocument,
    SourceVersion,
    Summary,
    Turn,
    TurnKind,
    TurnState,
)
from assistant.conversations.store import MOST_TURNS, Conversations, OpenTurn

__all__ = [
    "MOST_TURNS",
    "Conversation",
    "Conversations",
    "Feedback",
    "GivenFeedback",
    "OpenTurn",
    "ReadDocument",
    "SourceVersion",
    "Summary",
    "Turn",
    "TurnKind",
    "TurnState",
]
