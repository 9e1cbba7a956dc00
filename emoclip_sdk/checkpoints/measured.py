"""The part of a model card that ``emoclip-train evaluate --suite card --write-card`` fills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["measured_section", "split_title"]


def split_title(split: str) -> str:
    """Say what a key of ``config.info["card"]`` stands for: "test", or "london valid"."""
    name, _, part = split.rpartition(" ")
    return f"{name or 'FER+'}, {part} split"


def measured_section(card: Mapping[str, Any], picture: str | None = None) -> str:
    """Write the figures of a card as Markdown.

    Parameters
    ----------
    card : mapping
        ``config.info["card"]``: by split, see :func:`split_title`, ``rows`` (each with ``figure``,
        ``values``, ``goal``, ``met``, ``n`` and ``how``), ``failures`` (sentences) and, where
        known, ``command``.
    picture : str, optional
        File name of the confusion matrices in the checkpoint's folder.
    """
    parts = []
    for split, measured in card.items():
        lines = [
            f"### {split_title(split)}",
            "",
            "| figure | value | goal | reached | n |",
            "| --- | --- | --- | --- | --- |",
        ]
        for row in measured["rows"]:
            values = ", ".join(f"{name} {_number(value)}" for name, value in row["values"].items())
            goals = ", ".join(f"{name} {goal}" for name, goal in row["goal"].items())
            reached = {True: "yes", False: "no", None: "not known"}[row["met"]] if goals else ""
            n = "" if row["n"] is None else row["n"]
            lines.append(f"| {row['figure']} | {values} | {goals} | {reached} | {n} |")
        if measured.get("command"):
            lines += ["", f"Command: `{measured['command']}`"]
        parts.append("\n".join(lines))
    last = next(iter(card.values()), None)
    if last:
        how = [f"- **{row['figure']}**: {row['how']}" for row in last["rows"]]
        parts.append("### How they were measured\n\n" + "\n".join(how))
    if picture:
        parts.append(f"![Confusion matrices: shares of each true class]({picture})")
    if last and last.get("failures"):
        parts.append("### Measured limits\n\n" + "\n".join(f"- {x}" for x in last["failures"]))
    return "\n\n".join(parts)


def _number(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
