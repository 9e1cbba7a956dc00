"""What a checkpoint may say of its towers: every key of open_clip's configurations, with its range.

The upper ends are beyond every published model. What is not listed is refused by name: it would go
to a constructor as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import CheckpointError

__all__ = ["check_tower_config"]

Check = tuple[Callable[[Any], bool], str]


def _number(low: float, high: float, *, whole: bool = True) -> Check:
    kinds = int if whole else (int, float)

    def fits(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        return low <= value <= high and math.isfinite(value)

    return fits, f"a{' whole' if whole else ''} number from {low:g} to {high:g}"


def _choice(*values: Any) -> Check:
    return (
        lambda value: any(value is v or (isinstance(v, str) and value == v) for v in values),
        f"one of {', '.join(map(repr, values))}",
    )


def _either(*checks: Check) -> Check:
    return lambda value: any(fits(value) for fits, _ in checks), " or ".join(w for _, w in checks)


def _list_of(check: Check, n: int) -> Check:
    return (
        lambda value: isinstance(value, list) and len(value) == n and all(map(check[0], value)),
        f"a list of {n}, each {check[1]}",
    )


def _mapping(**checks: Check) -> Check:
    def fits(value: Any) -> bool:
        return isinstance(value, dict) and all(
            key in checks and checks[key][0](item) for key, item in value.items()
        )

    return fits, "; ".join(f"{key}: {words}" for key, (_, words) in checks.items()) or "empty"


_FLAG: Check = (lambda value: isinstance(value, bool), "true or false")
_NONE: Check = (lambda value: value is None, "null")
_OFF = _choice(False)
_NAME: Check = (lambda value: isinstance(value, str) and len(value) <= 100, "a name")
_WIDTH = _number(1, 16_384)
_DEPTH = _number(1, 200)
_SIDE = _number(1, 2048)
_RATIO = _number(0.01, 64, whole=False)
_SHARE = _number(0, 1, whole=False)
_TOKEN = _number(0, 10_000_000)
_NORM = _mapping(eps=_number(1e-12, 1, whole=False))
_ACTIVATION = _mapping(approximate=_choice("none", "tanh"))
_SCALE = _either(_number(0, 100, whole=False), _NONE)

_TOP: dict[str, Check] = {
    "embed_dim": _WIDTH,
    "quick_gelu": _FLAG,
    "custom_text": _FLAG,
    "init_logit_scale": _number(-100, 100, whole=False),
    "init_logit_bias": _either(_number(-100, 100, whole=False), _NONE),
}
_BLOCKS: dict[str, Check] = {
    "width": _WIDTH,
    "mlp_ratio": _RATIO,
    "ls_init_value": _SCALE,
    "final_ln_after_pool": _FLAG,
    "output_tokens": _OFF,  # a tower would return two tensors
    "act_kwargs": _either(_ACTIVATION, _NONE),
    "norm_kwargs": _either(_NORM, _NONE),
}
_VISION: dict[str, Check] = {
    **_BLOCKS,
    "image_size": _either(_SIDE, _list_of(_SIDE, 2)),
    "layers": _either(_DEPTH, _list_of(_DEPTH, 4)),
    "patch_size": _either(_SIDE, _NONE),
    "head_width": _WIDTH,
    "patch_dropout": _SHARE,
    "attentional_pool": _either(_FLAG, _choice("parallel", "cascade")),
    "attn_pooler_queries": _number(1, 4096),
    "attn_pooler_heads": _number(1, 1024),
    "no_ln_pre": _FLAG,
    "pos_embed_type": _choice("learnable", "sin_cos_2d"),
    "pool_type": _choice("tok", "avg", "none"),
    "timm_model_name": _either(_NAME, _NONE),
    "timm_model_pretrained": _FLAG,
    "timm_pool": _NAME,
    "timm_proj": _either(_NAME, _NONE),
    "timm_proj_bias": _FLAG,
    "timm_drop": _SHARE,
    "timm_drop_path": _either(_SHARE, _NONE),
}
_TEXT: dict[str, Check] = {
    **_BLOCKS,
    "context_length": _number(3, 4096),
    "vocab_size": _number(1, 10_000_000),
    "heads": _number(1, 1024),
    "layers": _DEPTH,
    "embed_cls": _FLAG,
    "pad_id": _TOKEN,
    "eos_id": _TOKEN,
    "no_causal_mask": _FLAG,
    "pool_type": _choice("first", "last", "argmax", "eos", "none"),
    "proj_type": _either(_choice("linear", "none"), _NONE),
    "proj_bias": _FLAG,
}


def check_tower_config(model: Mapping[str, Any], *, text: bool = True) -> None:
    """Refuse an open_clip configuration with a key or a value that no tower has.

    Parameters
    ----------
    model : mapping
    text : bool
        Whether the checkpoint has a text tower.

    Raises
    ------
    CheckpointError
        Naming the key, its value and what it should be.
    """
    sections = {"": _TOP, "vision_cfg": _VISION, "text_cfg": _TEXT}
    if not text:  # nothing is built from what stands there
        model = {**model, "text_cfg": {}}
    for section, checks in sections.items():
        values = model.get(section, {}) if section else model
        where = f"towers: model.{section}".rstrip(".")
        if not isinstance(values, Mapping):
            raise CheckpointError(f"{where} must be an object, not {values!r:.100}")
        for key, value in values.items():
            if not section and key in sections:
                continue
            if key not in checks:
                raise CheckpointError(f"{where} has an unknown key {key!r:.100}")
            fits, words = checks[key]
            if not fits(value):
                raise CheckpointError(f"{where}.{key} is {value!r:.100} and should be {words}")
    for key in ("embed_dim", "vision_cfg", "text_cfg"):
        if key not in model:
            raise CheckpointError(f"towers: model has no '{key}'")
