"""Rows of a card: when a goal is reached."""

from __future__ import annotations

import dataclasses

from emoclip_sdk.training.evaluation.card import (
    CardRow,
)


def test_goals() -> None:
    row = CardRow("k", "f", {"a": 0.5, "b": 0.1}, {"a": (">=", 0.5), "b": ("<=", 0.05)}, 1, "h")
    assert row.met is False
    assert dataclasses.replace(row, values={"a": 0.5, "b": 0.05}).met is True
    assert dataclasses.replace(row, values={"a": 0.9, "b": None}).met is None
