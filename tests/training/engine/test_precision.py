"""Mixed precision where the hardware has it."""

from __future__ import annotations

import torch

from emoclip_sdk.inference import devices as inference
from emoclip_sdk.training.engine.precision import pick_precision


def test_bfloat16_only_where_it_is_fast(monkeypatch) -> None:
    processor = torch.device("cpu")
    for flags, expected in (
        ("avx2", "fp32"),
        ("avx2 amx_bf16 amx_tile", "bf16"),
        ("avx2 avx512_bf16", "bf16"),
    ):
        monkeypatch.setattr(inference, "_has", lambda flag, flags=flags: flag in flags.split())
        assert pick_precision("auto", processor) == expected
        assert pick_precision("fp16", processor) == "fp16"
