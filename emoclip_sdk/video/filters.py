"""Single pictures through FFmpeg's filters."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.filter import Graph
    from av.filter.context import FilterContext
    from av.video.frame import VideoFrame

__all__ = ["filtered", "with_table"]

_STEP = Fraction(1, 25)  # a time base for filters that don't look at times


def filtered(name: str, arguments: str, pictures: Sequence[VideoFrame]) -> list[VideoFrame]:
    """Return what a filter with one input makes of pictures of one size and format."""
    from av.filter import Graph

    graph = Graph()
    source = _source(graph, pictures[0])
    graph.link_nodes(source, graph.add(name, arguments), graph.add("buffersink")).configure()
    for picture in pictures:
        source.push(picture)
    source.push(None)
    return _results(graph)


def with_table(picture: VideoFrame, table: VideoFrame) -> VideoFrame:
    """Return a picture whose colors are looked up in a table, with interpolation.

    Parameters
    ----------
    picture, table : av.VideoFrame
        Both in one RGB format. The table is a Hald image of level n: n**3 x n**3 pixels, which hold
        the results for n**2 steps of red (which changes fastest), green and blue.
    """
    from av.filter import Graph

    graph = Graph()
    sources = [_source(graph, picture), _source(graph, table)]
    lookup = graph.add("haldclut", "interp=tetrahedral")
    for i, source in enumerate(sources):
        source.link_to(lookup, 0, i)
    lookup.link_to(graph.add("buffersink"))
    graph.configure()
    for source, frame in zip(reversed(sources), (table, picture), strict=True):
        frame.pts, frame.time_base = 0, _STEP
        source.push(frame)
        source.push(None)
    (result,) = _results(graph)
    return result


def _source(graph: Graph, picture: VideoFrame) -> FilterContext:
    return graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=_STEP
    )


def _results(graph: Graph) -> list[VideoFrame]:
    import av

    results = []
    while True:
        try:
            result = graph.pull()
            assert isinstance(result, av.VideoFrame)
            results.append(result)
        except (av.error.EOFError, av.error.BlockingIOError):
            return results
