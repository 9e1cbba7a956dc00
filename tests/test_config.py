"""One reader for config.json and for recipes: what is wrong is named, with what would be right."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from emoclip_sdk.config import ModelConfig, bounded, read_dataclass
from emoclip_sdk.errors import CheckpointError, EmoCLIPError


@dataclass(frozen=True)
class Inner:
    rate: float = 1.0
    share: float | None = bounded(None, 0, 1)
    sizes: tuple[tuple[int, int], ...] = ()
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    flag: bool = False
    free: dict[str, Any] = field(default_factory=dict)


def test_nested_values_are_read() -> None:
    data = {
        "name": "x",
        "inner": {"rate": 2, "share": 0.5, "sizes": [[64, 3], [96, 12]], "kind": "b"},
        "flag": True,
        "free": {"any": [None]},
    }
    outer = read_dataclass(Outer, data, "recipe")
    assert outer.inner == Inner(2, 0.5, ((64, 3), (96, 12)), "b")
    assert outer.flag and outer.free == {"any": [None]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nam": 1}, "recipe: unknown keys ['nam']; known are"),
        ({"inner": {"rat": 1}}, "recipe: inner: unknown keys ['rat']"),
        ({"inner": None}, "recipe: inner: expected a mapping, got NoneType"),
        ({"inner": {"rate": "1e-3"}}, "recipe: inner.rate is '1e-3' and should be float"),
        ({"inner": {"rate": True}}, "recipe: inner.rate is True and should be float"),
        ({"inner": {"rate": float("nan")}}, "inner.rate is nan and should be a number"),
        ({"inner": {"share": 1.5}}, "inner.share is 1.5 and should be a number from 0 to 1"),
        ({"inner": {"sizes": [[1, 2, 3]]}}, "inner.sizes is [1, 2, 3] and should be a list of 2"),
        ({"inner": {"sizes": [[1, 2.5]]}}, "inner.sizes is 2.5 and should be int"),
        ({"inner": {"kind": "c"}}, "inner.kind is 'c' and should be one of a, b"),
        ({"flag": 1}, "flag is 1 and should be bool"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(EmoCLIPError) as caught:
        read_dataclass(Outer, {"name": "x", **change}, "recipe")
    assert message in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(EmoCLIPError, match="recipe: the key 'name' is missing"):
        read_dataclass(Outer, {}, "recipe")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "format_version is 2, this release reads 1"),
        ({"towers": {}}, "give either 'name'"),
        ({"image": {"mean": [0.5]}}, "image.mean is [0.5] and should be a list of 3 float"),
        ({"temporal": {"layers": 10**400}}, "should be a number from 0 to 200"),
        ({"faces": {"margin": -1}}, "faces.margin is -1 and should be a number from -0.45 to 2"),
        ({"info": []}, "info is [] and should be dict"),
    ],
)
def test_config_json_is_strict(change: dict[str, Any], message: str) -> None:
    data = {"format_version": 1, "towers": {"name": "ViT-B-32"}, **change}
    with pytest.raises(CheckpointError) as caught:
        ModelConfig.from_dict(data)
    assert message in str(caught.value)
