"""The model card: what a checkpoint is, what it may be used for, and how well it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..config import ModelConfig
from .measured import measured_section

__all__ = ["PATH_PLACEHOLDER", "model_card"]

PATH_PLACEHOLDER = "path/to/this/folder"
"""What a card's example loads until the checkpoint has a place on the Hub."""

_TEMPLATE = """\
---
library_name: emoclip_sdk
pipeline_tag: video-classification
license: {license}
tags:
- emoclip
- emotion-recognition
- facial-expression-recognition
- video
- zero-shot
---

# {name}

A vision-language model of facial expressions in video, built as in EmoCLIP (Foteinopoulou and
Patras, FG 2024). {what}

| part | |
| --- | --- |
{parts}

## Use

```python
from emoclip_sdk import EmoCLIP

model = EmoCLIP.from_pretrained("{load}")
{example}
```

## Intended use

Research on facial expressions and tools built on it: annotation of video, search in recordings,
behavioral measures that a person checks. The model reads apparent expression, not what a person
feels: faces are posed, hidden and culturally shaped, and the same face means different things in
different situations. Scores compare the labels given with one another; they are no probability
that a person is in a state, and no diagnosis.

## Prohibited uses

In the European Union, Regulation (EU) 2024/1689 (the AI Act), Article 5(1)(f), prohibits AI
systems that infer emotions of people in the workplace and in education institutions, except for
medical or safety reasons. This model must not be used so. Nor is it fit for decisions about
people, such as in hiring, policing, border control, insurance or credit, or for watching people
without their knowledge. Elsewhere in the Union, people must be told that an emotion recognition
system is at work (Article 50(3)).

## Training data and its terms

{training}

## Measured figures

{metrics}

## Limits

- {groups}
- Only the face is seen: no voice, no words, no body, no situation.
- Blends, weak expressions and labels far from the training data's vocabulary are less reliable.
- Without a face there is no score.

## Citation

```bibtex
@inproceedings{{foteinopoulou2024emoclip,
  title     = {{EmoCLIP: A Vision-Language Method for Zero-Shot Video Facial Expression
               Recognition}},
  author    = {{Foteinopoulou, Niki Maria and Patras, Ioannis}},
  booktitle = {{IEEE International Conference on Automatic Face and Gesture Recognition (FG)}},
  year      = {{2024}},
  note      = {{arXiv:2310.16640}}
}}
```
"""


_NO_GROUPS = (
    "Accuracy differs between groups of people, cameras, lighting and head poses, and was not\n"
    "  measured for each of them unless a table above says so."
)


def model_card(
    config: ModelConfig,
    metrics: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | str | None = None,
    license: str | None = None,
    picture: str | None = None,
) -> str:
    """Write the model card of a checkpoint.

    Parameters
    ----------
    config : ModelConfig
        ``config.info`` may hold ``name``, ``description``, ``license``, ``repo`` (its place on
        the Hub), ``groups`` (what was measured of groups of people) and ``card`` (figures, see
        :func:`~.measured.measured_section`).
    metrics : mapping, optional
        Measured figures: name to number or, for several columns, name to a mapping of column to
        number. None: the card says that none were measured.
    training : mapping or str, optional
        Data, their terms and the recipe: text, or topic to text. None: the card says that nothing
        is recorded.
    license : str, optional
        The Hub's identifier of the weights' license. None: that of ``config.info``, else
        ``"apache-2.0"``.
    picture : str, optional
        File name of the confusion matrices in the checkpoint's folder.

    Returns
    -------
    str
        Markdown with a YAML head.
    """
    name = str(config.info.get("name") or "EmoCLIP checkpoint")
    if config.towers.text:
        what = "It scores a video of a face against any labels or descriptions in words."
        example = 'print(model.classify("clip.mp4").top(3))'
    else:
        what = "It has no text tower: it embeds video of faces, and can't classify by words."
        example = 'vector = model.embed("clip.mp4")'
    description = config.info.get("description")
    figures = [_table(metrics)] if metrics else []
    if config.info.get("card"):
        figures.append(measured_section(config.info["card"], picture))
    return _TEMPLATE.format(
        license=license or config.info.get("license") or "apache-2.0",
        name=name,
        what=f"{what} {description}" if description else what,
        parts=_parts(config),
        load=config.info.get("repo") or PATH_PLACEHOLDER,
        example=example,
        groups=config.info.get("groups") or _NO_GROUPS,
        training=_training(config, training),
        metrics="\n\n".join(figures) or "None were measured for this checkpoint.",
    )


def _parts(config: ModelConfig) -> str:
    towers, temporal = config.towers, config.temporal
    vision = (towers.model or {}).get("vision_cfg", {})
    image = towers.name or vision.get("timm_model_name")
    if not image:
        image = "ViT of {layers} layers, width {width}, patches of {patch_size}".format_map(vision)
    activation = "QuickGELU" if towers.quick_gelu else "GELU"
    if temporal.kind == "mean":
        pooling = "mean of the frame embeddings"
    else:
        pooling = (
            f"{temporal.layers} layers, {temporal.heads} heads of {temporal.dim_head}, "
            f"perceptron {temporal.mlp_dim}, {temporal.max_positions} positions"
        )
    rows = {
        "image tower": f"{image}, {config.image.size} px, {config.image.color}",
        "text tower": f"CLIP text transformer, {activation}" if towers.text else "none",
        **_beside(config),
        "temporal module": pooling,
        "clip": f"{config.sampling.n_frames} frames at {config.sampling.rate:g} frames a second",
        "labels": ", ".join(config.prompts.labels) or "none of its own",
    }
    return "\n".join(f"| {key} | {value} |" for key, value in rows.items())


def _beside(config: ModelConfig) -> dict[str, str]:
    """Name the parts that CLIP and EmoCLIP don't have, where there are any."""
    rows = {}
    if config.shape is not None:
        rows["shape stream"] = f"478 landmarks and 52 blendshapes, perceptron {config.shape.hidden}"
    if config.actions is not None:
        rows["space of facial actions"] = (
            f"2 x {config.actions.width} of the joint space, on the same landmarks and blendshapes"
        )
    return rows


def _training(config: ModelConfig, training: Mapping[str, Any] | str | None) -> str:
    if isinstance(training, str):
        return training.strip()
    if training:
        return "\n".join(f"- **{topic}**: {_text(value)}" for topic, value in training.items())
    source = config.info.get("source")
    origin = f"Origin of the weights: {source}. " if source else ""
    return (
        f"{origin}Nothing more is recorded in this folder. The terms of the data that the weights "
        "were trained on apply to them; look them up before you pass the weights on."
    )


def _table(metrics: Mapping[str, Any]) -> str:
    nested = all(isinstance(value, Mapping) for value in metrics.values())
    if not nested:
        rows = [f"| {name} | {_text(value)} |" for name, value in metrics.items()]
        return "\n".join(["| figure | value |", "| --- | --- |", *rows])
    columns = list(dict.fromkeys(column for row in metrics.values() for column in row))
    head = f"| | {' | '.join(columns)} |"
    rows = [
        f"| {name} | {' | '.join(_text(row.get(column, '')) for column in columns)} |"
        for name, row in metrics.items()
    ]
    return "\n".join([head, "| --- |" + " --- |" * len(columns), *rows])


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
