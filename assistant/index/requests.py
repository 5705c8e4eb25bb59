"""Filters and queries in the form that Qdrant Edge takes."""

from __future__ import annotations

from collections.abc import Collection

import qdrant_edge as edge

from assistant.index.schema import DOCUMENT, LABEL, LANGUAGE


def deletion(wanted: edge.Filter) -> edge.UpdateOperation:
    """Delete what passes this filter."""
    return edge.UpdateOperation.delete_points_by_filter(wanted)


def equals(key: str, value: str) -> edge.FieldCondition:
    """This field has this value."""
    return edge.FieldCondition(key, edge.MatchValue(value))


def must_equal(key: str, value: str) -> edge.Filter:
    """Only what has this value in this field."""
    return edge.Filter(must=[equals(key, value)])


def has_label(labels: tuple[str, ...]) -> edge.FieldCondition:
    """It carries one of these labels."""
    return edge.FieldCondition(LABEL, edge.MatchAny(list(labels)))


def access_filter(
    labels: tuple[str, ...], within: Collection[str] | None = None, written_in: str | None = None
) -> edge.Filter:
    """Only what carries one of these labels, of these documents where `within` says so, in this language where one is named.

    Never built from an empty list: the callers return before that.
    """
    wanted = [has_label(labels)]
    if within is not None:
        wanted.append(edge.FieldCondition(DOCUMENT, edge.MatchAny(sorted(within))))
    if written_in is not None:
        wanted.append(equals(LANGUAGE, written_in))
    return edge.Filter(must=list(wanted))


def sparse_query(indices: list[int], values: list[float], name: str) -> edge.Query:
    """The sum of products with the sparse vectors of this name."""
    return edge.Query.Nearest(edge.SparseVector(indices, values), using=name)
