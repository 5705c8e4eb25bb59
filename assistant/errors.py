"""Every error this project raises on purpose.

    AssistantError
    ├── ConfigurationError    the operator can mend it: a setting, a folder, a missing system part
    │   ├── EgressBlocked     something tried to reach an address outside the allow-list
    │   ├── IndexMismatch     the index was built with another encoder or schema: rebuild it
    │   └── InstanceBusy      another process holds the data folder
    ├── DocumentRejected      the file is at fault: never retried
    ├── Unlabelled            a document without a usable access label: kept out until somebody labels it
    ├── NotFound              no such document or page, or none this reader may see: the words are the same
    ├── InvalidRequest        the request itself cannot be served: an empty question, an unknown route
    ├── Conflict              the document's present state forbids it: it is being worked on, or on legal hold
    │   └── ChangedElsewhere  a conversation has other turns by now than its reader saw
    ├── SignInRequired        no valid key or session came with the request
    ├── Forbidden             the reader is known, and lacks the role for this action
    ├── ServiceUnavailable    a service is away: try again
    │   ├── AuditUnavailable  the audit record cannot be written: no record, no answer
    │   └── ModelsUnavailable no language model can answer this request now: quotations do
    └── AccessViolation       a bug: a hit escaped the access filter; stop and alarm

Messages name the thing, the value and the next step. They never contain document text, questions or secrets.
"""

from __future__ import annotations


class AssistantError(Exception):
    """Base of all errors raised on purpose; anything else that surfaces is a bug."""


class ConfigurationError(AssistantError):
    """The operator can mend it; the message says how."""


class EgressBlocked(ConfigurationError):
    """An address outside the allow-list was about to be reached."""


class IndexMismatch(ConfigurationError):
    """The stored index does not fit the configured encoder or schema."""


class InstanceBusy(ConfigurationError):
    """Another process holds this instance's data folder."""

    def __init__(self, message: str, *, by_service: bool = False) -> None:
        """`by_service`: the one that holds it is the service, which is starting or stopping."""
        super().__init__(message)
        self.by_service = by_service


class DocumentRejected(AssistantError):
    """The file itself is at fault, so trying again cannot help.

    `category` is one of `ingest.parsing.RejectionCategory`; `page_number` is 1-based, None when the whole file is meant.
    """

    def __init__(self, category: str, message: str, *, page_number: int | None = None) -> None:
        super().__init__(message)
        self.category = category
        self.page_number = page_number


class Unlabelled(AssistantError):
    """No label, or labels that contradict each other: the document waits in quarantine."""

    def __init__(self, message: str, *, at_least: str = "") -> None:
        """`at_least` is the canonical label that dominates all that was said; empty where nothing was."""
        super().__init__(message)
        self.at_least = at_least


class NotFound(AssistantError):
    """Nothing of that name is visible to this reader, whether or not it exists."""


class InvalidRequest(AssistantError):
    """The request cannot be served as it stands; the message says what to change."""


class Conflict(AssistantError):
    """The document cannot be changed as it stands now: it is being worked on, or it is on hold."""


class ChangedElsewhere(Conflict):
    """Something was asked in the conversation since the reader saw it, in another window perhaps; nothing was dropped."""


class SignInRequired(AssistantError):
    """The request carries no valid key or session."""


class Forbidden(AssistantError):
    """The reader is known but may not do this."""


class ServiceUnavailable(AssistantError):
    """A part this answer needs is away; trying later can help."""


class AuditUnavailable(ServiceUnavailable):
    """The audit record could not be written, so there is no answer."""


class ModelsUnavailable(ServiceUnavailable):
    """No endpoint that may see this request, and speaks its language, can answer it now."""


class AccessViolation(AssistantError):
    """A passage reached a reader's results that the reader may not see. Always a bug: stop and alarm."""
