"""Captions about facial actions: one, several at once, one side, two in order, behaviors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from ...assets import package_file
from ...prompts.facial_actions import ACTIONS, action_wordings
from .captions import Captioner
from .states import behaviors, state_texts

__all__ = ["ACTION_TEXTS", "ActionTexts"]

ACTION_TEXTS = package_file(__package__, "action_texts.yaml")

_SENTENCES = 0.2  # share of captions of an action that say who shows it
_NOUNS = 0.3  # share of captions about order that join nouns
_OPENED = 0.4  # share of those that begin like a search or a note
_JOINED = (  # what stands between several actions, and before the last one
    (", ", " and "), (", ", ", and "), (", ", ", "), ("; ", "; "), (". ", ". "), (" and ", " and "),
    (", ", " with "), (", ", " while "), (" + ", " + "), (", ", ", plus "),
)  # fmt: skip
_DESCRIBED = 0.5  # share of captions of a behavior that describe it


@dataclass(frozen=True)
class ActionTexts:
    """What captions are made of.

    Attributes
    ----------
    wordings : dict of str to tuple of str
        Of each action alone.
    sides : dict of str to tuple of str
        Templates about one ``{side}`` of the face.
    order : dict
        ``clause_templates`` and ``noun_templates`` say that ``{a}`` comes before ``{b}``;
        ``clauses`` and ``nouns`` name actions in them, and ``prefixes`` open some.
    behaviors : dict of str to tuple of str
        States of the prompt bank that somebody does with the face rather than feels ("yawning"),
        and the actions by which they are seen.
    """

    wordings: dict[str, tuple[str, ...]]
    sides: dict[str, tuple[str, ...]]
    order: dict[str, Any]
    behaviors: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls) -> ActionTexts:
        """Read those of the package."""
        data: dict[str, Any] = yaml.safe_load(ACTION_TEXTS.read_text(encoding="utf-8"))
        more, known = data["wordings"], action_wordings()
        names = dict.fromkeys([*known, *more])
        wordings = {name: (*known.get(name, ()), *more.get(name, ())) for name in names}
        sides = {name: tuple(templates) for name, templates in data["sides"].items()}
        return cls(wordings, sides, data["order"], behaviors())

    @property
    def ordered(self) -> tuple[str, ...]:
        """Actions whose order captions speak of."""
        return tuple(self.order["clauses"])

    def action(self, name: str, captioner: Captioner, rng: np.random.Generator) -> str:
        """Say that a face shows an action."""
        if name in ACTIONS and rng.random() < _SENTENCES:
            return captioner.sentence([name], rng)
        return _styled(str(rng.choice(self.wordings[name])), rng)

    def several(self, names: list[str], captioner: Captioner, rng: np.random.Generator) -> str:
        """Say that a face shows several actions at once."""
        if set(names) <= set(ACTIONS) and rng.random() < _SENTENCES:
            return captioner.sentence(names, rng)
        parts = [str(rng.choice(self.wordings[name])) for name in names]
        between, last = _JOINED[rng.integers(len(_JOINED))]
        return _styled(between.join(parts[:-1]) + last + parts[-1], rng)

    def behavior(self, name: str, rng: np.random.Generator) -> str:
        """Describe a behavior, or name it."""
        descriptions, named = state_texts(name)
        return str(rng.choice(descriptions if rng.random() < _DESCRIBED else named))

    def side(self, name: str, side: str, rng: np.random.Generator) -> str:
        """Say that one side of a face, ``left`` or ``right``, shows an action."""
        return _styled(str(rng.choice(self.sides[name])).format(side=side), rng)

    def sequence(self, first: str, second: str, rng: np.random.Generator) -> tuple[str, bool]:
        """Say that a face shows one action after another: and whether the later is named first."""
        kind = "noun" if rng.random() < _NOUNS else "clause"
        template = str(rng.choice(self.order[f"{kind}_templates"]))
        a, b = (str(rng.choice(self.order[f"{kind}s"][name])) for name in (first, second))
        opening = str(rng.choice(self.order["prefixes"])) if rng.random() < _OPENED else ""
        text = _styled(opening + template.format(a=a, b=b), rng)
        return text, template.index("{b}") < template.index("{a}")


def _styled(text: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.5:
        return text
    return text[0].upper() + text[1:] + ("." if rng.random() < 0.6 else "")
