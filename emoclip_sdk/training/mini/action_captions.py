"""Captions about single facial actions, for faces of which it is known what they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...prompts.facial_actions import ACTIONS, action_wordings
from ..data.captions import Captioner
from ..data.measured_actions import FacialActions
from .training_set import TextEncoder, add_noise

__all__ = ["ActionCaptions"]

SENTENCE_SHARE = 0.3
"""Share of captions of an action that say who shows it."""


@dataclass(frozen=True)
class ActionCaptions:
    """S captions and what N faces show of the A actions that they are about.

    Attributes
    ----------
    captions : Tensor, (S, D)
        Unit vectors before the text head.
    about : Tensor of int, (S,)
        Which action.
    presence : Tensor, (N, A)
    """

    captions: Tensor
    about: Tensor
    presence: Tensor

    @classmethod
    def write(
        cls,
        actions: FacialActions,
        encode: TextEncoder,
        count: int,
        captioner: Captioner,
        rng: np.random.Generator,
        device: torch.device,
    ) -> ActionCaptions:
        """Write `count` captions, of each action about as many."""
        named = rng.integers(0, len(actions.names), count)
        lines = [_caption(actions.names[i], captioner, rng) for i in named]
        return cls(
            F.normalize(encode(lines), dim=-1).to(device),
            torch.from_numpy(named).to(device),
            torch.from_numpy(actions.presence).to(device),
        )

    def draw(
        self,
        rows: Tensor,
        noise: float,
        expressed: Tensor | None = None,
        at_rest: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Draw a caption for each of B faces: (B, D), and how each fits each of them, (B, B).

        Of an action that is `expressed` (B,) in part, the rest is as `at_rest` (A,).
        """
        picks = torch.randint(len(self.captions), (len(rows),), device=self.captions.device)
        about = self.about[picks]
        presence = self.presence[rows][:, about]
        if expressed is not None and at_rest is not None:
            presence = torch.lerp(at_rest[about], presence, expressed[:, None])
        return add_noise(self.captions[picks], noise), presence


def _caption(action: str, captioner: Captioner, rng: np.random.Generator) -> str:
    """Say what an action looks like: in a sentence like those from votes, or in few words."""
    if action in ACTIONS and rng.random() < SENTENCE_SHARE:
        return captioner.sentence([action], rng)
    text = str(rng.choice(action_wordings()[action]))
    if rng.random() < 0.5:
        return text
    return text[0].upper() + text[1:] + ("." if rng.random() < 0.5 else "")
