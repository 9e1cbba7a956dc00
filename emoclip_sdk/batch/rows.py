"""The tables that a batch can write: their columns, and the rows of each video."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import BatchError
from ..export.tables import require_pyarrow, table_schema
from ..inference.action_measures import MEASURES, named_measures
from ..results.events import Event, event_scores
from ..results.numbers import nullable
from ..results.records import FAILED, NO_FACE, NOBODY, ModelInfo, Prediction, Status
from ..results.scored_windows import TimelineRow
from ..results.speech import Speech
from ..results.text import unicode_text
from ..results.timeline import Timeline
from .action_engine import action_schema
from .inputs import BatchInput
from .speech import StudySpeech
from .tasks import prominent_track

if TYPE_CHECKING:
    import pyarrow

__all__ = ["BatchTable", "action_table", "clip_table", "event_table", "window_table"]

Rows = Any  # a list of flat records, or a table of pyarrow


@dataclass(frozen=True)
class BatchTable:
    """A kind of table that a batch writes.

    Attributes
    ----------
    schema : pyarrow.Schema
        Its columns, without those that come from a manifest or from a comparison.
    rows : callable
        A video and what was found in it to the rows of this video: flat records, or a table.
    compared : dict of str to str
        Columns that a baseline is for, and those that say what differs from it.
    many_rows : bool
        A video has many rows: in Parquet they are a row group of their own.
    """

    schema: pyarrow.Schema
    rows: Callable[[BatchInput, Any], Rows]
    compared: Mapping[str, str] = field(default_factory=dict)
    many_rows: bool = False


def clip_table(labels: Sequence[str], weights: str, actions: bool = False) -> BatchTable:
    """Return the table of a row for each video, or each of its faces: `Prediction.to_record`."""
    nothing = dict.fromkeys(labels, math.nan)
    measures = named_measures(None) if actions else None
    example = Prediction("", nothing, nothing, {}, actions=measures)

    def rows(item: BatchInput, predictions: Sequence[Prediction]) -> Rows:
        best = prominent_track(predictions[0].tracks)
        records = []
        for prediction in predictions:
            error = prediction.error and unicode_text(prediction.error)
            record = dataclasses.replace(prediction, source=item.name, error=error).to_record()
            flag = None if prediction.track is None else prediction.track == best
            records.append({**nullable(record), "prominent": flag, "weights": weights})
        return records

    return BatchTable(
        table_schema([*example.to_record(), "prominent", "weights"]),
        rows,
        _compared(labels, "score", actions),
    )


def window_table(
    labels: Sequence[str],
    model: ModelInfo,
    weights: str,
    actions: bool = False,
    baseline: bool = False,
    speech: StudySpeech | None = None,
) -> BatchTable:
    """Return the table of a row for each face and window: `TimelineRow.to_record`."""
    nothing = dict.fromkeys(labels, math.nan)
    measures = named_measures(None) if actions else None
    changes = nothing if baseline else None

    def record(row: TimelineRow, name: str, status: Status, best: int | None) -> dict[str, Any]:
        values = row.to_record(name, model)
        return {
            "source": values.pop("source"),
            "status": status,
            "error": None,
            **nullable(values),
            "prominent": None if row.track is None else row.track == best,
            "weights": weights,
        }

    def rows(item: BatchInput, timeline: Timeline) -> Rows:
        if timeline.error is not None:
            return [_failed(item, timeline.error)]
        if not timeline.rows:
            return [{"source": item.name, "status": NO_FACE, "reason": NOBODY}]
        status, best = timeline.status, prominent_track(timeline.tracks)
        timeline = speech.applied(item.name, timeline) if speech else timeline
        return [record(row, item.name, status, best) for row in timeline.rows]

    example = TimelineRow(
        None,
        0.0,
        0.0,
        0,
        nothing,
        nothing,
        actions=measures,
        score_changes=changes,
        action_changes=measures if baseline else None,
        speaking=math.nan if speech else None,
    )
    return BatchTable(
        table_schema(list(record(example, "", NO_FACE, None))),
        rows,
        {} if baseline else _compared(labels, "score", actions),
        many_rows=True,
    )


def event_table(
    labels: Sequence[str],
    model: ModelInfo,
    weights: str,
    events: Mapping[str, Sequence[Event]],
    threshold: float,
    actions: bool = False,
    speech: StudySpeech | None = None,
) -> BatchTable:
    """Return the table of a row for each event and face: `EventScores.to_record`.

    Parameters
    ----------
    labels, model, weights
    events : mapping of str to sequence of Event
        Of each video, by its name in the batch.
    threshold : float
        Of episodes.
    actions : bool
        Of facial actions, too.
    speech : StudySpeech, optional

    Raises
    ------
    BatchError
        A label is named as an action, so two columns would have one name, or a column of the list
        would be mistaken for one of the table's.
    """
    measures = named_measures(None) if actions else {}
    twice = sorted(set(labels) & set(measures))
    if twice:
        raise BatchError(f"'{twice[0]}' is a label and a facial action: name the label otherwise")
    texts = list(dict.fromkeys(name for few in events.values() for e in few for name in e.columns))

    def rows(item: BatchInput, timeline: Timeline) -> Rows:
        best = prominent_track(timeline.tracks)
        timeline = speech.applied(item.name, timeline) if speech else timeline
        return [
            {
                **nullable(scores.to_record(item.name)),
                "error": scores.error and unicode_text(scores.error),
                "prominent": None if scores.track is None else scores.track == best,
                **model.to_record(),
                "weights": weights,
            }
            for scores in event_scores(timeline, events[item.name], threshold, 0.0, 0.0)
        ]

    said = Speech(()) if speech else None
    nothing = Timeline("", tuple(labels), 1.0, 1.0, (), error="", speech=said)
    example = event_scores(nothing, [Event(0.0, 1.0)], threshold, 0.0, 0.0)[0]
    if actions:
        example = dataclasses.replace(example, action_means=measures, action_maxima=measures)
    columns = [*example.to_record(""), "prominent", *texts, *model.to_record(), "weights"]
    for name in texts:
        if columns.count(name) > 1:
            raise BatchError(
                f"the events have a column '{name}', which the output needs: rename it"
            )
    compared = {f"mean:{x}": f"change:{x}" for x in (*labels, *measures)}
    return BatchTable(table_schema(columns, texts), rows, compared, True)


def action_table(landmarks: bool = False) -> BatchTable:
    """Return the table of a row for each face and frame: `ActionRow.to_record`."""
    pa = require_pyarrow()
    found = action_schema(landmarks)
    schema = pa.schema([("source", pa.string()), *found, ("error", pa.string())])

    def rows(item: BatchInput, result: Any) -> Rows:
        if isinstance(result, str):
            return [_failed(item, result)]
        if not result.num_rows:
            return [{"source": item.name, "status": NO_FACE, "reason": NOBODY}]
        n = result.num_rows
        table = result.add_column(0, "source", pa.repeat(item.name, n))
        return table.append_column("error", pa.nulls(n, pa.string()))

    return BatchTable(schema, rows, {name: f"change:{name}" for name in MEASURES}, True)


def _failed(item: BatchInput, error: str) -> dict[str, Any]:
    return {"source": item.name, "status": FAILED, "error": unicode_text(error)}


def _compared(labels: Sequence[str], kind: str, actions: bool) -> dict[str, str]:
    columns = {f"{kind}:{label}": f"change:{label}" for label in labels}
    return columns | ({name: f"change:{name}" for name in MEASURES} if actions else {})
