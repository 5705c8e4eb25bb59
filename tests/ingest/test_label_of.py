"""Whose word on a label counts: an archivist's, a marking line's, a sidecar's, and for which version."""

from __future__ import annotations

import pytest

from assistant.access import Label
from assistant.errors import Unlabelled
from ingest.labelling import Markings
from ingest.ledger_rows import Task
from ingest.lifecycle import Edits, label_of
from ingest.sources import Sidecar
from tests.worlds import ROOT

MARKINGS = Markings.load(ROOT / "configs" / "markings.toml")
PLAIN = "Le délai est de trente jours.\n"
RESTRICTED = f"Mention de diffusion : RESTREINT\n{PLAIN}"
BOTH = f"Mention de diffusion : RESTREINT\nMention de diffusion : PUBLIC\n{PLAIN}"


def decided(
    text: str, *, given: str = "", edited: str | None = None, of_version: str = "v1", clearance: str | None = "secret",
    sidecar: str | None = None, unmarked: str | None = None,
) -> str:  # fmt: skip
    """The label of version v1; `edited` is what an archivist said by hand, `given` what the ledger holds."""
    edits = Edits(label=edited, label_version=of_version, label_clearance=clearance) if edited else Edits()
    task = Task("d", "v1", "/in/a", "a", given, "", 1, "archivist", edits.written())
    unmarked_label = Label.parse(unmarked) if unmarked else None
    return str(label_of(task, text, Sidecar(label=sidecar), markings=MARKINGS, unmarked=unmarked_label))


def test_what_was_said_at_handing_in_must_agree_with_the_marking_line() -> None:
    assert decided(RESTRICTED, given="restricted") == "restricted"
    assert decided(PLAIN, given="internal", unmarked="secret") == "internal"
    for text, given, sidecar in ((RESTRICTED, "internal", None), (PLAIN, "internal", "public"), (PLAIN, "", None)):
        with pytest.raises(Unlabelled):
            decided(text, given=given, sidecar=sidecar)


@pytest.mark.parametrize("text", [PLAIN, RESTRICTED, BOTH])
@pytest.mark.parametrize("sidecar", [None, "public", "secret"])
def test_archivists_edit_of_this_version_wins_over_marking_line_and_sidecar(text: str, sidecar: str | None) -> None:
    assert decided(text, given="internal", edited="internal", sidecar=sidecar) == "internal"


@pytest.mark.parametrize("clearance", ["internal", "restricted", "secret/tax"])
@pytest.mark.parametrize("text", [RESTRICTED, BOTH])
def test_archivist_overrules_no_marking_line_above_the_own_clearance(text: str, clearance: str) -> None:
    if clearance == "internal":
        with pytest.raises(Unlabelled, match="disagree") as refused:
            decided(text, given="internal", edited="internal", clearance=clearance)
        assert refused.value.at_least == "restricted"
    else:
        assert decided(text, given="internal", edited="internal", clearance=clearance) == "internal"


def test_edit_whose_clearance_was_not_written_down_holds() -> None:
    assert decided(RESTRICTED, given="internal", edited="internal", clearance=None) == "internal"


def test_edit_of_an_earlier_version_wins_over_the_sidecar_and_not_over_a_marking_line() -> None:
    assert decided(PLAIN, given="internal", edited="internal", of_version="v0", sidecar="public") == "internal"
    with pytest.raises(Unlabelled, match="disagree"):
        decided(RESTRICTED, given="internal", edited="internal", of_version="v0")


def test_another_label_at_handing_in_ends_the_edit() -> None:
    assert decided(PLAIN, given="restricted", edited="internal") == "restricted"
    for text, sidecar in ((PLAIN, "internal"), (f"Mention de diffusion : PUBLIC\n{PLAIN}", None)):
        with pytest.raises(Unlabelled, match="disagree"):
            decided(text, given="restricted", edited="internal", sidecar=sidecar)


def test_edits_come_back_as_they_were_written_and_fields_of_later_versions_are_passed_over() -> None:
    edits = Edits(title="Titre", date="", label="internal/tax")
    assert Edits.read(edits.written()) == edits
    assert Edits.read('{"title": "x", "unknown": 3}') == Edits(title="x")
