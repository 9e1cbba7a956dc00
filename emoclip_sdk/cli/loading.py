"""A model, ready with the prompts and labels that the options ask for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import CheckpointError, EmoCLIPError, HubError, PromptError
from .label_files import read_labels, split_labels
from .output import complain, working

if TYPE_CHECKING:
    from ..model import EmoCLIP

__all__ = ["add_prompts", "load_model", "requested_labels"]


def load_model(
    name: str | None, device: str, dtype: str, prompts: Sequence[Path] | None = None
) -> EmoCLIP:
    """Load the model that ``--model`` names and let ``--prompts`` change its bank.

    Raises
    ------
    typer.BadParameter
        No such model or device, or an unusable prompt file.
    CheckpointError
        The model is there, or should be, and can't be loaded.
    """
    with working("loading the model"):
        from ..model import EmoCLIP

        _check_name(name)
        _check_device(device)
        model = EmoCLIP.from_pretrained(name, device=device, dtype=dtype)
        add_prompts(model, prompts)
    return model


def add_prompts(model: EmoCLIP, files: Sequence[Path] | None, option: str = "--prompts") -> None:
    """Let prompt files change a model's bank.

    Raises
    ------
    typer.BadParameter
        A file can't be used.
    """
    for file in files or ():
        try:
            _add_file(model, file)
        except PromptError as error:
            raise typer.BadParameter(str(error), param_hint=option) from None


def requested_labels(
    model: EmoCLIP,
    labels: str | None,
    label: Sequence[str] | None,
    labels_file: Path | None,
    compounds: Sequence[str] | None,
) -> list[str]:
    """Return what to score, in the order of the options; tell the model what is new to it.

    Raises
    ------
    typer.BadParameter
        A label, file or compound that can't be used, or a model that can't score labels.
    """
    requested: list[str] = []
    hint = "--labels"
    try:
        if labels is not None:
            requested += split_labels(labels)
            _say_what_was_split(model, requested)
        requested += label or ()
        if labels_file is not None:
            hint = "--labels-file"
            requested += _from_file(model, labels_file)
        own = labels is None and not label and labels_file is None
        if own:
            requested += model.labels
        for text in compounds or ():
            hint = "--compound"
            name, parts = _parse_compound(text)
            model.add_compound(name, parts)
            requested.append(name)
        hint = "--labels / --label / --labels-file / --compound"
        with working("reading the labels"):
            model.embed_labels(None if own and not compounds else requested)
    except CheckpointError as error:
        raise typer.BadParameter(str(error), param_hint="--model") from None
    except EmoCLIPError as error:
        raise typer.BadParameter(str(error), param_hint=hint) from None
    return requested


def _check_name(name: str | None) -> None:
    from ..checkpoints import EMBEDDED, resolve

    if name is None or name == EMBEDDED:
        return
    try:
        resolve(name, local_files_only=True)
    except HubError:
        pass  # not downloaded yet; from_pretrained says what is wrong, if anything is
    except CheckpointError as error:
        raise typer.BadParameter(str(error), param_hint="--model") from None


def _check_device(device: str) -> None:
    from ..inference.devices import pick_device

    try:
        pick_device(device)
    except EmoCLIPError as error:
        raise typer.BadParameter(str(error), param_hint="--device") from None


def _say_what_was_split(model: EmoCLIP, labels: Sequence[str]) -> None:
    """Say so where the comma of a sentence may have been taken for one between labels."""
    for one, other in itertools.pairwise(labels):
        if all(len(part.split()) > 1 and part not in model.prompts for part in (one, other)):
            complain(
                f"--labels was split at its commas: '{one}' and '{other}' are two labels. Give one "
                "that has a comma as --label"
            )
            return


def _from_file(model: EmoCLIP, file: Path) -> list[str]:
    if file.suffix.lower() in (".yaml", ".yml"):
        return _add_file(model, file)
    labels = read_labels(file)
    for name, descriptions in labels.items():
        if descriptions:
            model.add_label(name, descriptions)
    return list(labels)


def _add_file(model: EmoCLIP, file: Path) -> list[str]:
    """Add the entries of a prompt file to the model's bank; return their names."""
    from ..prompts import PromptBank

    bank = PromptBank.from_yaml(file)
    for name in bank.names():
        model.add_label(name, bank.descriptions(name), aliases=bank.aliases(name))
    for name, parts in bank.compounds.items():
        model.add_compound(name, dict(parts))
    return [*bank.names(), *bank.compounds]


def _parse_compound(text: str) -> tuple[str, dict[str, float]]:
    """Read ``name=a+b`` or ``name=2*a+b``."""
    name, equals, sum_ = text.partition("=")
    if equals and "+" not in sum_:
        raise PromptError(
            f"'{text}': a compound of one label would be that label twice. Name two parts or more, "
            "NAME=A+B; to score a label, name it in --labels"
        )
    parts: dict[str, float] = {}
    for term in sum_.split("+"):
        weight, times, part = term.rpartition("*")
        part = part.strip()
        if part in parts:
            raise PromptError(f"'{text}': {part!r} occurs twice")
        try:
            parts[part] = float(weight) if times else 1.0
        except ValueError:
            raise PromptError(f"'{text}': {weight.strip()!r} is not a weight") from None
    if not (equals and name.strip() and all(parts)):
        raise PromptError(f"'{text}' does not read NAME=A+B or NAME=2*A+B")
    return name.strip(), parts
