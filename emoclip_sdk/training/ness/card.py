"""The model card of a probe: research, no diagnosis, and what must be approved before use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .figures import RATING_FIGURES

if TYPE_CHECKING:
    from .study import StudyResult

__all__ = ["probe_card"]

_TEMPLATE = """\
---
library_name: emoclip_sdk
tags:
- emoclip
- regression
- research-only
---

# Probe for interviews: {title}

A perceptron of one hidden layer on a frozen EmoCLIP video encoder ({encoder}). It
estimates ratings of a scale from the face in a recorded interview; the estimates of all clips are
averaged. The recipe follows EmoCLIP (Foteinopoulou and Patras, FG 2024, Tables V and VI).

```python
from emoclip_sdk import EmoCLIP

probe = EmoCLIP.load_probe("path/to/this/folder"{model})
result = probe.predict("interview.mp4")
```

## For research. No diagnosis

- It must not be used to diagnose, to screen, to decide on treatment, benefits, admission or
  discharge, or to monitor a person. It is no medical device and has not been assessed as one.
- A rating is a clinician's judgment of an interview: of speech, thought and history as well as of
  the face. The probe sees the face alone.
- Faces move less for many reasons: medication, Parkinsonism, fatigue, culture, language, a camera
  that is far away. The probe can't tell them apart.

## What must be approved before use

On recordings of patients, before the first video is opened:

1. **Ethics**: approval by the responsible ethics committee for this analysis, not only for the
   study in which the recordings were made.
2. **Consent**: the participants' informed consent covers automatic analysis of the face and
   keeping what is derived from it; those who can't consent are left out unless the committee says
   otherwise.
3. **Data protection**: a legal basis for health data and biometric data (in the European Union:
   GDPR, Articles 6 and 9), a data protection impact assessment (Article 35), and who has access
   for how long.
4. **Emotion recognition**: in the Union, Regulation (EU) 2024/1689 (the AI Act) makes such systems
   high-risk or prohibits them, depending on their use; people exposed to one must be told
   (Article 50(3)).

Embeddings, predictions and this probe were made from patients' recordings and stay as private as
they are: a probe of few patients may reveal who was among them. Don't publish them without a
decision of those who approved the study.

## Data

{interviews} interviews of {patients} patients, {clips} clips. The recordings are private and not
part of this folder.

## Measured

{folds} folds by patient; no patient is on both sides, which the run checks. 95 % intervals by the
bootstrap over patients. The probe in this folder was trained on all patients afterwards.

| score | n | MAE | RMSE | PCC | 95 % of errors within |
| --- | ---: | --- | --- | --- | --- |
{rows}

`predict` gives each estimate with the interval of these errors. It holds for patients like the ones
above, interviewed and filmed alike, and for nobody else. Whether errors differ between groups of
people was not measured.
"""


def probe_card(result: StudyResult, scores: list[dict[str, Any]]) -> str:
    """Write the card.

    Parameters
    ----------
    result : StudyResult
    scores : list of dict
        ``scores`` of ``probe.json``.
    """
    document = result.document
    rows = []
    for score in scores:
        figures = result.figures["probe"][score["name"]]
        n, cells = figures["n"], []
        for figure in RATING_FIGURES:
            value, limits = figures[figure], figures["intervals"][figure]
            cell = "not defined" if value is None else f"{value:.2f}"
            cells.append(cell if limits is None else f"{cell} [{limits[0]:.2f}, {limits[1]:.2f}]")
        low, high = score["errors"]["interval"]
        rows.append(f"| {score['title']} | {n} | {' | '.join(cells)} | {low:+.2f} to {high:+.2f} |")
    name = document["encoder"]["name"]
    return _TEMPLATE.format(
        title=result.study.scale.title,
        encoder=name or "not recorded: the interviews were embedded elsewhere",
        model="" if name else ", model=...",
        interviews=document["interviews"],
        patients=document["patients"],
        clips=document["clips"],
        folds=document["folds"],
        rows="\n".join(rows),
    )
