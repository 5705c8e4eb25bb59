"""What office files hold and do not show, counted for the archivist."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class LeftOut:
    """What stood in the file and not on the page."""

    hidden: int = 0
    deleted: int = 0
    comments: int = 0

    def warnings(self) -> tuple[str, ...]:
        """In words, nothing for nothing."""
        said = (
            (self.hidden, "characters of hidden text were left out"),
            (self.deleted, "characters of deleted text (tracked changes) were left out"),
            (self.comments, "comments were left out"),
        )
        return tuple(f"{count} {what}" for count, what in said if count)
