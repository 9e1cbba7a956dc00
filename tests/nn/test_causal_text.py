"""The text transformer against open_clip's of the same weights."""

from __future__ import annotations

import torch

from emoclip_sdk.config import TowersConfig
from emoclip_sdk.nn import build_tokenizer
from emoclip_sdk.nn.causal_text import CausalText

from .pair import model_config, pair


@torch.no_grad()
def test_texts_as_by_open_clip() -> None:
    theirs, ours = pair(0)
    assert isinstance(ours.text, CausalText)
    tokenize = build_tokenizer(TowersConfig(model=model_config(0)))
    tokens = tokenize(["a smile", "brows are raised", ""])
    torch.testing.assert_close(ours.encode_tokens(tokens), theirs.encode_text(tokens))
