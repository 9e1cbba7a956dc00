"""CLIP's text transformer (Radford et al. 2021), with open_clip's names of tensors."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

__all__ = ["CausalText"]


class CausalText(nn.Module):
    """CLIP's text transformer, run only as far as the longest text of the batch.

    The attention is causal and the output is read at the end token, so positions behind it can't
    change the result: a batch of short labels costs a tenth of the full 77 positions.

    Parameters
    ----------
    embed_dim : int
        D, size of the embeddings.
    context_length, vocab_size, width, heads, layers : int
        As open_clip's ``text_cfg`` has them, with its defaults.
    """

    token_embedding: nn.Embedding
    positional_embedding: nn.Parameter
    transformer: nn.Module
    ln_final: nn.LayerNorm
    text_projection: nn.Linear | nn.Parameter | None

    def __init__(
        self,
        embed_dim: int,
        context_length: int = 77,
        vocab_size: int = 49408,
        width: int = 512,
        heads: int = 8,
        layers: int = 12,
    ) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(vocab_size, width)
        self.positional_embedding = nn.Parameter(torch.empty(context_length, width))
        self.transformer = _Transformer(width, heads, layers)
        self.ln_final = _LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, embed_dim))
        # CLIP's start (Radford et al. 2021)
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.positional_embedding, std=0.01)
        nn.init.normal_(self.text_projection, std=width**-0.5)

    @classmethod
    def of(cls, clip: Any) -> CausalText:
        """Take the text tower out of open_clip's ``CLIP``."""
        text = cls.__new__(cls)
        nn.Module.__init__(text)
        for name in cls.__annotations__:
            setattr(text, name, getattr(clip, name))
        return text

    def forward(self, tokens: Tensor) -> Tensor:
        """Embed tokens (N, context_length) to (N, D)."""
        _, outputs, end = self.states(tokens)
        return self.project(outputs, end)

    def states(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the transformer makes of each token, up to the last end of a text.

        Returns
        -------
        inputs, outputs : Tensor, (N, L, width)
            Embeddings of the tokens with their positions, and the last layer's, normalized.
        end : Tensor of int, (N,)
            Place of the end token.
        """
        end = tokens.argmax(dim=-1)  # the end token has the highest number of the vocabulary
        n = int(end.max()) + 1
        x = self.token_embedding(tokens[:, :n])
        x = x + self.positional_embedding[:n].to(x.dtype)
        mask = torch.full((n, n), float("-inf"), dtype=x.dtype, device=x.device).triu_(1)
        return x, self.ln_final(self.transformer(x, attn_mask=mask)), end

    def project(self, outputs: Tensor, end: Tensor) -> Tensor:
        """Embed texts by the output at their end token, from :meth:`states`: (N, D)."""
        x = outputs[torch.arange(len(outputs), device=outputs.device), end]
        if isinstance(self.text_projection, nn.Linear):
            return self.text_projection(x)
        return x if self.text_projection is None else x @ self.text_projection


class _LayerNorm(nn.LayerNorm):
    """Returns the type that it was given, under autocast as well."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).to(x.dtype)


class _Block(nn.Module):
    """Pre-norm attention and a perceptron of four times the width."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.ln_1 = _LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = _LayerNorm(width)
        wide, narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.mlp = nn.Sequential(OrderedDict(c_fc=wide, gelu=nn.GELU(), c_proj=narrow))
        std = width**-0.5
        nn.init.normal_(self.attn.in_proj_weight, std=std)
        nn.init.normal_(wide.weight, std=std * 0.5**0.5)
        for last in (self.attn.out_proj, narrow):  # what is added to the residual stream
            nn.init.normal_(last.weight, std=std * (2 * layers) ** -0.5)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask.to(y.dtype))[0]
        return x + self.mlp(self.ln_2(x))


class _Transformer(nn.Module):
    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.grad_checkpointing = False
        self.resblocks = nn.ModuleList(_Block(width, heads, layers) for _ in range(layers))

    def forward(self, x: Tensor, attn_mask: Tensor) -> Tensor:
        for block in self.resblocks:
            if self.grad_checkpointing and torch.is_grad_enabled():
                x = cast(Tensor, checkpoint(block, x, attn_mask, use_reentrant=False))
            else:
                x = block(x, attn_mask)
        return x
