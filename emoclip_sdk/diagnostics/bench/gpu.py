"""How much of a GPU's arithmetic `encode_video` uses."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from ...model import EmoCLIP

__all__ = ["encoding_row"]

SIDE = 8192
"""Of the square matrices whose product says what the card can do."""
CLIPS = 64


def encoding_row(model: EmoCLIP, size: int, turns: int = 20) -> dict[str, Any]:
    """Measure frames a second through ``encode_video``, and their share of the card's bf16 rate.

    Parameters
    ----------
    model : EmoCLIP
        On a CUDA device, in bfloat16.
    size : int
        Side of its pictures, which lie on the device already, as clips of 32 frames.
    turns : int

    Returns
    -------
    dict
        A row for :func:`run_benchmarks`: operations a second of encoding (counted, a multiplication
        with an addition as two) over those of a large matrix product.
    """
    device = model.encoder.device
    matrix = torch.randn(SIDE, SIDE, device=device, dtype=torch.bfloat16)
    card = 2 * SIDE**3 / _seconds(lambda: matrix @ matrix, turns)
    frames = model.config.sampling.n_frames
    clips = torch.randn(CLIPS, frames, 3, size, size, device=device, dtype=torch.bfloat16)
    counter = FlopCounterMode(display=False)
    torch.backends.mha.set_fastpath_enabled(False)  # its products are not counted
    try:
        with counter:
            model.encode_video(clips[:1])
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    seconds = _seconds(lambda: model.encode_video(clips), turns)
    rate = CLIPS * counter.get_total_flops() / seconds
    return {
        "figure": f"encode_video on {torch.cuda.get_device_name(device)}: share of its bf16 rate",
        "ratio": round(rate / card, 3),
        "goal": ">= 0.4",
        "values": {
            "frames a second": round(CLIPS * frames / seconds),
            "TFLOP/s": round(rate / 1e12),
            "TFLOP/s of a matrix product": round(card / 1e12),
        },
    }


def _seconds(run: Callable[[], Any], turns: int, warm: int = 5) -> float:
    """Return the median time of a call on the device, in seconds."""
    times = []
    for turn in range(warm + turns):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        torch.cuda.synchronize()
        if turn >= warm:
            times.append(begin.elapsed_time(end) / 1000)
    return statistics.median(times)
