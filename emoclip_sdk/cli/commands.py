"""What the two commands, ``emoclip`` and ``emoclip-train``, have in common: help, logs, options."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TextIO, Union, get_args, get_origin

import typer

from .. import __version__
from .output import Quiet, complain

__all__ = ["CommandLine", "log_to_stderr", "show_version"]

_METAVARS = {int: "N", float: "NUMBER", str: "TEXT", Path: "PATH"}
"""What the help calls the values of options, rather than by the name of a type."""


def _be_quiet(requested: bool) -> bool:
    Quiet.asked = requested
    return requested


_QUIET = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show no progress.", callback=_be_quiet)
]


class CommandLine(typer.Typer):
    """An application whose commands all take ``--quiet``."""

    def __init__(self, name: str | None = None, **options: Any) -> None:
        super().__init__(
            name=name,
            add_completion=True,
            no_args_is_help=True,
            pretty_exceptions_enable=False,
            # Plain help is ready in half the time, and an error stays one line instead of a box.
            rich_markup_mode=None,
            context_settings={"help_option_names": ["-h", "--help"]},
            **options,
        )

    def command(
        self, *names: Any, examples: Sequence[str] = (), **options: Any
    ) -> Callable[[Any], Any]:
        """Return a decorator that adds a command, as that of Typer.

        Its help ends with `examples`.
        """
        if examples:  # "\b": lines stay as they are
            options["epilog"] = "\n".join(["\b", "Examples:", *(f"  {line}" for line in examples)])
        add = super().command(*names, **options)

        def added(function: Any) -> Any:
            add(_with_quiet(function))
            return function

        return added


def _with_quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command with one option more, and with plain words for values in its help."""
    signature = inspect.signature(function, eval_str=True)
    for parameter in signature.parameters.values():
        kind, *infos = get_args(parameter.annotation)
        for info in infos:
            # Arguments are called by their names already.
            if isinstance(info, typer.models.OptionInfo) and info.metavar is None:
                info.metavar = _metavar(kind)

    @functools.wraps(function)
    def command(*, quiet: bool, **options: Any) -> Any:
        try:
            return function(**options)
        except KeyboardInterrupt:  # some versions of Typer would call it an error
            complain("Stopped.")
            raise typer.Exit(130) from None

    quiet = inspect.Parameter(
        "quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_QUIET
    )
    parameters = [p.replace(kind=quiet.kind) for p in signature.parameters.values()]
    command.__signature__ = signature.replace(parameters=[*parameters, quiet])  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in [*parameters, quiet]}
    return command


def _metavar(kind: Any) -> str | None:
    """Return what to call a value of a type; None: a flag, or as Typer calls it."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (member for member in get_args(kind) if member is not NoneType)
    if get_origin(kind) is list:
        (kind,) = get_args(kind)
    if get_origin(kind) is tuple:
        return " ".join(_METAVARS[member] for member in get_args(kind))
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    return _METAVARS.get(kind)


def show_version(requested: bool) -> None:
    """Print the version and end, if that is asked for."""
    if requested:
        typer.echo(f"emoclip_sdk {__version__}")
        raise typer.Exit


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is just then: a bar puts itself in its place meanwhile."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr
        super().emit(record)


def log_to_stderr(level: int, style: str) -> None:
    """Let log records of `level` and above be lines on standard error, in that format."""
    logging.basicConfig(level=level, format=style, handlers=[_StandardError()])
