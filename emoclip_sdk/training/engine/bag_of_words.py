"""A text tower that starts as a bag of words."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

__all__ = ["start_as_bag_of_words"]


def start_as_bag_of_words(text: Any, tokens: Tensor | None = None) -> None:
    """Start as a bag of words: the end token's output is a mean over the sentence.

    In the first block all tokens get the same attention and their values pass unchanged; order
    does not count. Training starts from there, which saves most of what a random start needs:
    sentences that share words are near each other from the first step.

    Parameters
    ----------
    text : nn.Module
        open_clip's ``TextTransformer`` of width W with joint width D, changed in place.
    tokens : Tensor, (N, D), optional
        What an encoder of width D says of the first N tokens. The token embeddings become their
        leading W principal directions, and the projection leads back to D. Without it the token
        embeddings stay random, and the projection keeps their geometry: W must be D then.

    Raises
    ------
    ValueError
        No `tokens`, and W is not D.
    """
    embedding = text.token_embedding.weight
    width = embedding.shape[1]
    attention = text.transformer.resblocks[0].attn
    if tokens is None:
        if text.text_projection.shape != (width, width):
            raise ValueError(f"text width {width} must be the joint width")
        axes = torch.eye(width)
    else:
        _, _, axes = torch.linalg.svd(tokens.T @ tokens)
        axes = axes[:width]
    with torch.no_grad():
        if tokens is None:
            # As long as what the first block adds; its perceptron knows nothing yet.
            embedding.mul_(5)
            text.transformer.resblocks[0].mlp.c_proj.weight.mul_(0.1)
        else:
            embedding[: len(tokens)] = tokens @ axes.T
            embedding[len(tokens) :].zero_()
        text.positional_embedding.mul_(0.1)
        attention.in_proj_weight[: 2 * width].mul_(0.1)
        attention.in_proj_weight[2 * width :] = torch.eye(width)
        attention.out_proj.weight.copy_(torch.eye(width))
        text.text_projection.copy_(axes / math.sqrt(width))
