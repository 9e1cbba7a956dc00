"""MTCNN's three networks (Zhang et al., 2016), with the weights in facenet-pytorch's wheel.

The layers are built here, since importing facenet-pytorch imports torchvision and, with it, torch's
compiler: as long again as importing torch, in every process that looks for faces. The weights are
data files of its wheel, read from there; none of its code runs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..assets import dependency_file

__all__ = ["FACTOR", "THRESHOLDS", "load_networks"]

THRESHOLDS = (0.6, 0.7, 0.7)
"""The least confidence of each network's candidates: the library's defaults, as is `FACTOR`."""
FACTOR = 0.709
"""From one level of the picture pyramid to the next."""


class _PNet(nn.Module):
    """Proposes: pictures (N, 3, H, W) to box shifts (N, 4, h, w) and confidences (N, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.pool1 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1 = nn.Conv2d(32, 2, 1)
        self.conv4_2 = nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))
        return self.conv4_2(x), self.conv4_1(x).softmax(dim=1)[:, 1]


class _RNet(nn.Module):
    """Refines: crops (N, 3, 24, 24) to box shifts (N, 4) and confidences (N,)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.dense5_1 = nn.Linear(128, 2)
        self.dense5_2 = nn.Linear(128, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.prelu4(self.dense4(_flat(self.prelu3(self.conv3(x)))))
        return self.dense5_2(x), self.dense5_1(x).softmax(dim=1)[:, 1]


class _ONet(nn.Module):
    """Confirms: crops (N, 3, 48, 48) to box shifts (N, 4) and confidences (N,)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.pool3 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1 = nn.Linear(256, 2)
        self.dense6_2 = nn.Linear(256, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.pool1(self.prelu1(self.conv1(x)))
        x = self.pool2(self.prelu2(self.conv2(x)))
        x = self.pool3(self.prelu3(self.conv3(x)))
        x = self.prelu5(self.dense5(_flat(self.prelu4(self.conv4(x)))))
        return self.dense6_2(x), self.dense6_1(x).softmax(dim=1)[:, 1]


def _flat(x: Tensor) -> Tensor:
    """(N, C, H, W) to (N, W * H * C): the weights count columns first, then rows, then channels."""
    return x.permute(0, 3, 2, 1).flatten(1)


def load_networks(device: torch.device) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Return P-Net, R-Net and O-Net, ready for inference.

    Raises
    ------
    ImportError
        facenet-pytorch is not installed, or its weights are not where they should be.
    """
    networks = _PNet(), _RNet(), _ONet()
    for network, name in zip(networks, ("pnet.pt", "rnet.pt", "onet.pt"), strict=True):
        path = dependency_file("facenet_pytorch", f"data/{name}")
        try:
            values = torch.load(path, map_location="cpu", weights_only=True)
            # O-Net also has weights for five points of the face, which are not looked for.
            network.load_state_dict({key: values[key] for key in network.state_dict()})
        except Exception as error:  # cut off, empty or of another kind: torch has many errors
            raise ImportError(f"its weights can't be read: {path}") from error
        # Pooling and small convolutions are two to four times faster in this layout.
        network.eval().requires_grad_(False).to(device)
        network.to(memory_format=torch.channels_last)
    return networks
