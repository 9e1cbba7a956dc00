"""The composer: from a label to the texts that stand for it, and their weights (eq. 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import PromptError
from .bank import PromptBank
from .files import LABEL_PLACEHOLDER
from .labels import SENTENCE_END, is_caption, label_key, require_unicode, tidy

__all__ = ["CompoundMode", "LabelText", "compose"]

CompoundMode = Literal["average", "concatenate"]
Kind = Literal["bank", "template", "custom", "compound", "caption", "fitted"]


@dataclass(frozen=True)
class LabelText:
    """The texts of a label, for results to report.

    Parameters
    ----------
    label : str
        The label in the caller's wording.
    kind : str
        ``bank``: the bank's descriptions, and for some models its name in the templates
        (:attr:`PromptBank.name_share`). ``custom``: descriptions added at run time. ``compound``:
        the descriptions of its components. ``template``: unknown to the bank, put into templates.
        ``caption``: a sentence, used word for word. ``fitted``: any of these, moved towards a
        caller's own examples.
    texts : tuple of str
        The texts that were encoded.
    weights : tuple of float
        Their weights in the label's embedding; they sum to 1.
    name : str, optional
        The bank's entry. None for a template or caption.
    parts : tuple of (str, float)
        A compound's components and their weights, which sum to 1.
    """

    label: str
    kind: Kind
    texts: tuple[str, ...]
    weights: tuple[float, ...]
    name: str | None = None
    parts: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "label": self.label,
            "kind": self.kind,
            "name": self.name,
            "parts": dict(self.parts),
            "texts": list(self.texts),
        }


def compose(bank: PromptBank, label: str, compound: CompoundMode = "average") -> LabelText:
    """Return the texts and weights that a label stands for. Encodes nothing.

    Parameters
    ----------
    bank : PromptBank
        Where labels are looked up first.
    label : str
        A name or alias, any other word (template), or a sentence of five words and more (caption).
    compound : {"average", "concatenate"}
        Average: the components' texts weighted as eq. 2 says. Concatenate: the paper's baseline,
        the components' descriptions joined: each first with each first, second with second and so
        on, so that both ways have as many texts of each component. It changes compounds only.

    Raises
    ------
    PromptError
        For an empty label or one that is not text, or an unknown label in a bank without templates.
    """
    if not isinstance(label, str) or not label_key(label):
        raise PromptError(f"A label must be text and not empty, not {label!r}")
    require_unicode(label, "The label")
    if compound not in ("average", "concatenate"):
        raise PromptError(f"compound must be 'average' or 'concatenate', not {compound!r}")
    name = bank.resolve(label)
    compounds = bank.compounds
    if name is None:
        if is_caption(label):
            return LabelText(label, "caption", (tidy(label),), (1.0,))
        if not bank.templates:
            raise PromptError(
                f"The prompt bank does not know {label!r} and has no templates for it"
            )
        texts = _filled(bank, label)
        return _label_text(label, "template", [(text, 1 / len(texts)) for text in texts])
    if name not in compounds:
        kind: Kind = "custom" if bank.is_custom(name) else "bank"
        return _label_text(label, kind, _leaves(bank, compounds, name, 1.0), name)
    total = sum(weight for _, weight in compounds[name])
    parts = tuple((part, weight / total) for part, weight in compounds[name])
    leaves = _leaves(bank, compounds, name, 1.0)
    if compound == "concatenate":
        joined = _joined(bank, compounds, name)
        leaves = [(text, 1 / len(joined)) for text in joined]
    return _label_text(label, "compound", leaves, name, parts)


def _filled(bank: PromptBank, label: str) -> list[str]:
    """Return the templates with a label put in."""
    # A data set's underscore means a blank; the text tower would read it as a character.
    phrase = tidy(label.replace("_", " ")).rstrip(SENTENCE_END)
    return [template.replace(LABEL_PLACEHOLDER, phrase) for template in bank.templates]


def _label_text(
    label: str,
    kind: Kind,
    leaves: Sequence[tuple[str, float]],
    name: str | None = None,
    parts: tuple[tuple[str, float], ...] = (),
) -> LabelText:
    # Two components can share a text (nested compounds): one row, the weights added.
    weights: dict[str, float] = {}
    for text, weight in leaves:
        weights[text] = weights.get(text, 0.0) + weight
    return LabelText(label, kind, tuple(weights), tuple(weights.values()), name, parts)


def _leaves(
    bank: PromptBank, compounds: dict[str, tuple[tuple[str, float], ...]], name: str, share: float
) -> list[tuple[str, float]]:
    # A mean of means is itself a weighted mean of the raw text embeddings, so nesting is arithmetic
    # on the weights and no vector has to be kept per component.
    if name not in compounds:
        texts = bank.descriptions(name)
        named = _filled(bank, name) if bank.name_share and bank.is_shipped(name) else []
        of_names = bank.name_share * share if named else 0.0
        return [
            *((text, (share - of_names) / len(texts)) for text in texts),
            *((text, of_names / len(named)) for text in named),
        ]
    total = sum(weight for _, weight in compounds[name])
    return [
        leaf
        for part, weight in compounds[name]
        for leaf in _leaves(bank, compounds, part, share * weight / total)
    ]


def _joined(
    bank: PromptBank, compounds: dict[str, tuple[tuple[str, float], ...]], name: str
) -> list[str]:
    if name not in compounds:
        return [
            text if text.endswith((".", "!", "?")) else f"{text}."
            for text in bank.descriptions(name)
        ]
    parts = [_joined(bank, compounds, part) for part, _ in compounds[name]]
    # A component with fewer descriptions begins again.
    return [" ".join(part[i % len(part)] for part in parts) for i in range(max(map(len, parts)))]
