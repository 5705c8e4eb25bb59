"""Until a document's text is taken in, whoever may know of it can read every label that is claimed of it.

Otherwise a file that was handed in as restricted, and cannot be opened or bears another marking, would be shown to archivists of
lower clearance, who could label it public and read it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import Forbidden, NotFound
from assistant.ingestion import MetadataEdit
from tests.ingest.archiving import ARCHIVIST, CLERK, WEAK_ARCHIVIST, Office, office


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as world:
        yield world


RESTRICTED = 'label = "restricted/tax"\n'
MARKED = "Mention de diffusion : RESTREINT\n\nLe plan zyzomys est arrêté.\n"


@pytest.mark.parametrize(
    ("content", "label", "sidecar"),
    [
        (b"", None, RESTRICTED),
        (b"", "restricted/tax", None),
        (MARKED, "public", None),
        (MARKED, None, 'label = "public"\n'),
        (f"{MARKED}\nMention de diffusion : PUBLIC\n", None, None),
        ("Le plan zyzomys.", "public", RESTRICTED),
    ],
)
def test_document_without_a_label_is_known_only_under_the_label_that_is_claimed_of_it(
    place: Office, content: str | bytes, label: str | None, sidecar: str | None
) -> None:
    document_id = place.hand_in("plan zyzomys.txt", content, label=label, sidecar=sidecar).document_id
    ingestion = place.ingestion
    assert ingestion.document(document_id, ARCHIVIST).label == ""
    assert ingestion.documents(WEAK_ARCHIVIST) == (), "leaked"
    assert sum(ingestion.counts(WEAK_ARCHIVIST).values()) == 0, "leaked"
    for call in (
        lambda: ingestion.document(document_id, WEAK_ARCHIVIST),
        lambda: ingestion.edit(document_id, WEAK_ARCHIVIST, MetadataEdit(label="public")),
        lambda: ingestion.retry(document_id, WEAK_ARCHIVIST),
        lambda: ingestion.history(document_id, WEAK_ARCHIVIST),
        lambda: ingestion.remove(document_id, WEAK_ARCHIVIST),
    ):
        with pytest.raises(NotFound):
            call()
    with pytest.raises(Forbidden):
        ingestion.start_verification(WEAK_ARCHIVIST)
    ingestion.remove(document_id, ARCHIVIST)
    assert ingestion.receipts(WEAK_ARCHIVIST) == (), "leaked"
    assert len(ingestion.receipts(ARCHIVIST)) == 1


def test_readers_hear_nothing_of_a_version_that_is_claimed_to_be_above_them(place: Office) -> None:
    first = place.hand_in("plan.txt", "Le plan est public.")
    assert place.ingestion.document(first.document_id, CLERK).version == first.version
    second = place.hand_in("plan.txt", b"", label="restricted/tax")
    assert (second.document_id, second.version != first.version) == (first.document_id, True)
    for principal in (CLERK, WEAK_ARCHIVIST):
        assert place.ingestion.documents(principal) == (), "leaked"
        with pytest.raises(NotFound):
            place.ingestion.document(first.document_id, principal)
