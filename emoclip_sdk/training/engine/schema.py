"""Recipes as dataclasses: unknown keys and wrong values are refused before anything is read."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal, TypeVar

from ...errors import EmoCLIPError

__all__ = ["differences", "read_dataclass"]


T = TypeVar("T")


def differences(old: Any, new: Any, where: str = "") -> list[str]:
    """Name the keys in which two recipes differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = list(dict.fromkeys([*old, *new]))
        return [
            text
            for key in keys
            for text in differences(old.get(key), new.get(key), f"{where}.{key}".lstrip("."))
        ]
    return [] if old == new else [f"{where} (was {old!r}, now {new!r})"]


def read_dataclass(kind: type[T], data: Any, where: str) -> T:
    """Read a mapping as a dataclass.

    Raises
    ------
    EmoCLIPError
        An unknown or missing key, or a value of a wrong kind; the message names it.
    """
    if not isinstance(data, dict):
        raise EmoCLIPError(f"{where}: expected a mapping, got {data!r}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise EmoCLIPError(f"{where}: unknown keys {unknown}; known are {sorted(hints)}")
    values = {key: _value(hints[key], data[key], f"{where}: {key}") for key in data}
    try:
        return kind(**values)
    except TypeError as error:
        raise EmoCLIPError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        (hint,) = [a for a in arguments if a is not type(None)]
        return _value(hint, value, where)
    if origin is Literal:
        if value in arguments:
            return value
        raise EmoCLIPError(f"{where}: must be one of {', '.join(arguments)}, not {value!r}")
    if dataclasses.is_dataclass(hint):
        return read_dataclass(typing.cast(type, hint), {} if value is None else value, where)
    if hint is float and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            return float(value)  # YAML 1.1 reads 5e-4 as text
        except ValueError:
            pass
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_value(arguments[0], item, where) for item in value)
    plain = dict if origin is dict else hint
    if not isinstance(value, plain) or (isinstance(value, bool) and plain is not bool):
        raise EmoCLIPError(f"{where}: expected {getattr(plain, '__name__', plain)}, got {value!r}")
    return value
