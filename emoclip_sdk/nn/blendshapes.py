"""MediaPipe's blendshape network: 146 of the face's landmarks to 52 scores.

The network of the model card "MediaPipe Blendshape V2" (Google, Apache-2.0): an MLP mixer
(Tolstikhin et al. 2021) over 96 tokens and a class token, described in Grishchenko et al.,
"Blendshapes GHUM: Real-time Monocular Facial Blendshape Prediction" (2023).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

__all__ = ["BLENDSHAPES", "BLENDSHAPE_POINTS", "BlendshapeNetwork"]

BLENDSHAPES = (
    "_neutral",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft",
    "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft",
    "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft",
    "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""ARKit's names in the order of the scores; left and right are the subject's. There is no
``tongueOut``; ``_neutral`` comes with the network and says nothing (MediaPipe: "ignore it")."""

BLENDSHAPE_POINTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66,
    67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144,
    145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173,
    176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284,
    285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332,
    334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386,
    387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473,
    474, 475, 476, 477,
)  # fmt: skip
"""Landmarks that the network looks at, in its order."""

_TOKENS, _WIDTH = 96, 64
_TOKENS_INSIDE, _WIDTH_INSIDE = 384, 256
_BLOCKS = 4


class BlendshapeNetwork(nn.Module):
    """Landmarks to blendshape scores."""

    def __init__(self) -> None:
        super().__init__()
        self.to_tokens = nn.Linear(len(BLENDSHAPE_POINTS), _TOKENS)
        self.to_width = nn.Linear(2, _WIDTH)
        self.class_token = nn.Parameter(torch.zeros(_WIDTH))
        self.blocks = nn.Sequential(*[_MixerBlock(_TOKENS + 1, _WIDTH) for _ in range(_BLOCKS)])
        self.head = nn.Linear(_WIDTH, len(BLENDSHAPES))

    def forward(self, points: Tensor) -> Tensor:
        """Score faces.

        Parameters
        ----------
        points : Tensor, (N, 146, 2), float
            x, y of :data:`BLENDSHAPE_POINTS` in pixels of the frame, y downwards. Place and size do
            not matter, the turn of the head in the picture does.

        Returns
        -------
        Tensor, (N, 52)
            In [0, 1], in the order of :data:`BLENDSHAPES`.
        """
        points = points - points.mean(dim=1, keepdim=True)
        size = points.norm(dim=2, keepdim=True).mean(dim=1, keepdim=True)
        tokens = self.to_width(self.to_tokens((points / (2 * size)).mT).mT)
        first = self.class_token.expand(len(tokens), 1, -1)
        tokens = self.blocks(torch.cat([first, tokens], dim=1))
        return self.head(tokens[:, 0]).sigmoid()


class _MixerBlock(nn.Module):
    """Tokens (N, T, D) are mixed across T, then across D."""

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.token_norm = nn.LayerNorm(width, eps=1e-6, bias=False)
        self.token_mlp = _mlp(tokens, _TOKENS_INSIDE)
        self.width_norm = nn.LayerNorm(width, eps=1e-6, bias=False)
        self.width_mlp = _mlp(width, _WIDTH_INSIDE)

    def forward(self, x: Tensor) -> Tensor:
        # As products with the weights on the left: nothing is transposed in memory.
        first, second = (cast(nn.Linear, self.token_mlp[i]) for i in (0, 2))
        inside = torch.baddbmm(_column(first), _each(first, x), self.token_norm(x)).relu_()
        x = torch.baddbmm(x, _each(second, x), inside).add_(_column(second))
        return self.width_mlp(self.width_norm(x)).add_(x)


def _each(layer: nn.Linear, x: Tensor) -> Tensor:
    return layer.weight.expand(len(x), -1, -1)


def _column(layer: nn.Linear) -> Tensor:
    return layer.bias[:, None]


def _mlp(width: int, inside: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, inside), nn.ReLU(inplace=True), nn.Linear(inside, width))
