"""Model weights as nobody should ship them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save

from emoclip_sdk import EmoCLIP
from emoclip_sdk.errors import CheckpointError

FRAMES = np.zeros((4, 32, 32, 3), np.uint8)
WEIGHTS = "model.safetensors"
OTHER_TYPES = (torch.int8, torch.int64, torch.bool, torch.float64, torch.bfloat16)


def scores(folder: Path) -> np.ndarray:
    """Load a model folder and read a clip with it."""
    model = EmoCLIP.from_pretrained(folder, device="cpu")
    return np.array(list(model.classify(FRAMES, faces="none").scores.values()))


def damaged_weights(whole: bytes, n: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield kind and content of `n` damaged files, the kinds in turn."""
    rng = np.random.default_rng(seed)
    length = int.from_bytes(whole[:8], "little")
    header, body = whole[8 : 8 + length], whole[8 + length :]
    names = sorted(load(whole))

    def flipped(upto: int) -> bytes:
        data = bytearray(whole)
        for at in rng.integers(0, upto, 4):
            data[at] ^= 1 << int(rng.integers(8))
        return bytes(data)

    def lying(**lie: Any) -> bytes:
        told = json.loads(header)
        told[str(rng.choice(names))].update(lie)
        text = json.dumps(told).encode()
        return len(text).to_bytes(8, "little") + text + body

    def changed(kind: str) -> bytes:
        tensors = load(whole)
        name = str(rng.choice(names))
        tensor = tensors.pop(name)
        if kind == "another type":
            tensors[name] = tensor.to(OTHER_TYPES[rng.integers(len(OTHER_TYPES))])
        elif kind == "NaN":
            bad = tensor.clone()
            bad.view(-1)[int(rng.integers(bad.numel()))] = float(rng.choice([np.nan, np.inf]))
            tensors[name] = bad
        elif kind == "another shape":
            tensors[name] = torch.zeros(*tensor.shape, 2)
        elif kind == "path for a name":
            tensors[f"../../{name}"] = tensor
        elif kind == "unknown tensor":
            tensors |= {name: tensor, "code": torch.zeros(3)}
        return save(tensors)

    for i in range(n):
        kind = _KINDS[i % len(_KINDS)]
        if kind == "bits of the header":
            data = flipped(8 + length)
        elif kind == "bits anywhere":
            data = flipped(len(whole))
        elif kind == "cut short":
            data = whole[: int(rng.integers(len(whole)))]
        elif kind == "huge shape":
            data = lying(shape=[2**40, 2**20])
        elif kind == "data outside the file":
            data = lying(data_offsets=[0, 2**60])
        elif kind == "huge header":
            data = int(rng.integers(2**30, 2**63)).to_bytes(8, "little") + whole[8:]
        else:
            data = changed(kind)
        yield kind, data


_KINDS = (
    "bits of the header",
    "bits anywhere",
    "cut short",
    "huge shape",
    "data outside the file",
    "huge header",
    "another type",
    "NaN",
    "another shape",
    "path for a name",
    "tensor missing",
    "unknown tensor",
)


def load_damaged(checkpoint: Path, folder: Path, n: int) -> tuple[Counter[str], list[str]]:
    """Load `n` damaged copies of a checkpoint.

    Returns
    -------
    Counter
        What became of them: ``refused`` by an error of ours that names the file, or ``works``, with
        scores that are numbers.
    list of str
        Everything else.
    """
    copied = Path(shutil.copytree(checkpoint, folder / "damaged"))
    found: Counter[str] = Counter()
    wrong = []
    for kind, data in damaged_weights((checkpoint / WEIGHTS).read_bytes(), n):
        (copied / WEIGHTS).write_bytes(data)
        try:
            if not np.isfinite(scores(copied)).all():
                wrong.append(f"{kind}: scores that are no numbers")
            found["works"] += 1
        except CheckpointError as error:
            if WEIGHTS not in str(error):
                wrong.append(f"{kind}: {error}")
            found["refused"] += 1
        except Exception as error:
            wrong.append(f"{kind}: {type(error).__name__}: {error}")
    return found, wrong
