from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.access import Label, Level, Principal, Role, join_labels, readable_labels
from assistant.errors import ConfigurationError

labels = st.builds(
    Label, st.sampled_from(Level), st.frozensets(st.sampled_from(("tax", "health", "police")), max_size=3)
)


@given(labels)
def test_label_survives_its_canonical_string(label: Label) -> None:
    assert Label.parse(str(label)) == label


@given(labels)
def test_every_label_dominates_itself(label: Label) -> None:
    assert label.dominates(label)


@given(labels, labels)
def test_two_labels_that_dominate_each_other_are_one(a: Label, b: Label) -> None:
    assert (a.dominates(b) and b.dominates(a)) == (a == b)


@given(labels, labels, labels)
def test_dominance_carries_over(a: Label, b: Label, c: Label) -> None:
    assert not (a.dominates(b) and b.dominates(c)) or a.dominates(c)


@given(labels, labels, labels)
def test_join_is_the_lowest_label_above_both(a: Label, b: Label, c: Label) -> None:
    joined = a.join(b)
    assert joined.dominates(a)
    assert joined.dominates(b)
    assert c.dominates(joined) == (c.dominates(a) and c.dominates(b))


@given(st.lists(labels))
def test_join_of_many_dominates_each(many: list[Label]) -> None:
    assert all(join_labels(many).dominates(label) for label in many)


@pytest.mark.parametrize("role", ["READER", "ARCHIVIST", "OPERATOR"])
def test_a_role_granted_is_no_other_role(role: str) -> None:
    holder = Principal("p", frozenset({Role[role]}), Label(Level.PUBLIC))
    assert [name for name in ("READER", "ARCHIVIST", "OPERATOR") if Role[name] in holder.roles] == [role]


def test_each_level_reads_itself_and_the_levels_below_and_none_above() -> None:
    names = ["public", "internal", "restricted", "secret"]
    for place, name in enumerate(names):
        principal = Principal("p", frozenset({Role.READER}), Label.parse(name))
        assert set(readable_labels(principal, names)) == set(names[: place + 1]), f"{name} leaked or hid a level"


def test_compartment_beside_ones_own_is_not_readable() -> None:
    tax, health = Label.parse("internal/tax"), Label.parse("internal/health")
    assert not tax.dominates(health)
    assert not health.dominates(tax)


@pytest.mark.parametrize("text", ["", "geheim", "internal/Tax!", "/tax", "public secret", "internal/" + "x" * 65])
def test_text_that_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Label.parse(text)


@given(labels, st.lists(labels))
def test_readable_are_exactly_the_dominated_ones(clearance: Label, stored: list[Label]) -> None:
    principal = Principal("p", frozenset({Role.READER}), clearance)
    expected = {str(label) for label in stored if clearance.dominates(label)}
    assert readable_labels(principal, map(str, stored)) == tuple(sorted(expected))


@pytest.mark.parametrize(
    "text", ["", " public", "PUBLIC", "public/", "internal/tax,health", "internal/tax,tax", "none"]
)
def test_stored_string_that_is_not_canonical_is_readable_by_nobody(text: str) -> None:
    everyone = Principal("p", frozenset(Role), Label(Level.SECRET, frozenset({"tax", "health"})))
    assert readable_labels(everyone, [text]) == ()
