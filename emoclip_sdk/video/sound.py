"""The sound of one file carried over to another, beside pictures that are made anew."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .clock import continuous
from .decode import FileSource

if TYPE_CHECKING:
    from av.container import OutputContainer

__all__ = ["Sound"]

log = logging.getLogger(__name__)

_AHEAD = 0.5  # seconds by which sound is written before the picture that it belongs to
_OPUS_RATE = 48000


class Sound:
    """Copies the sound of a video bit for bit, or encodes it anew where a container can't hold it.

    Packets are read as far as they are asked for, so the length of a video costs no memory.

    Parameters
    ----------
    source : FileSource
        Opened once more.
    out : OutputContainer
        Nothing may have been written to it yet.
    begin, end : float
        Seconds on the clock of the source: what is copied of it. `begin` is the new file's zero.
    """

    def __init__(
        self,
        source: FileSource,
        out: OutputContainer,
        begin: float = 0.0,
        end: float = float("inf"),
    ) -> None:
        self._name = source.name
        self._out = out
        self._container: Any = None
        self._packets: Iterator[tuple[float, list[Any]]] = iter(())
        self._next: tuple[float, list[Any]] | None = None
        opened = source.sound()
        if opened is None:
            return
        self._container, stream, start = opened
        start += begin
        self._length = end - begin
        # MP4 has edit lists for it, and Opus a field of its own.
        self._before_zero = "mov" in out.format.name or "mp4" in out.format.name
        self._before_zero |= stream.codec.canonical_name == "opus"
        # Of a part, what lies before zero is sound that others hear, and no encoder's beginning.
        self._before_zero &= begin == 0
        if stream.codec.canonical_name in out.supported_codecs:
            copied = out.add_stream_from_template(stream)
            self._packets = self._copied(stream, copied, start)
        else:
            webm = "webm" in out.format.name
            rate = _OPUS_RATE if webm else stream.rate
            encoded = out.add_stream("libopus" if webm else "aac", rate=rate)
            encoded.layout = "mono" if stream.layout.nb_channels == 1 else "stereo"
            self._packets = self._encoded(stream, encoded, start)

    def until(self, time: float) -> None:
        """Write the sound up to a time of the new file, in seconds, and a little more."""
        while self._next is not None or self._advance():
            assert self._next is not None
            at, packets = self._next
            if at > time + _AHEAD:
                return
            for packet in packets:
                self._out.mux(packet)
            self._next = None

    def finish(self) -> None:
        """Write what is left."""
        self.until(float("inf"))

    def close(self) -> None:
        """Close the source."""
        if self._container is not None:
            self._container.close()

    def _advance(self) -> bool:
        try:
            self._next = next(self._packets, None)
        except Exception as error:  # as of pictures, nearly anything
            log.warning("%s: the sound is damaged or cut off (%s)", self._name, error)
            self._packets, self._next = iter(()), None
        return self._next is not None

    def _copied(self, stream: Any, into: Any, start: float) -> Iterator[tuple[float, list[Any]]]:
        packet: Any
        for packet in continuous(self._container.demux(stream), self._container):
            if packet.dts is None:  # the one that says that nothing follows
                continue
            base = packet.time_base
            shift = round(start / base)
            packet.dts -= shift
            if packet.pts is not None:
                packet.pts -= shift
            # What an encoder needs to begin with, before zero, would move everything in Matroska.
            if not self._before_zero and packet.dts < 0:
                continue
            if packet.dts * base >= self._length:
                return
            packet.stream = into
            yield float(packet.dts * base), [packet]

    def _encoded(self, stream: Any, into: Any, start: float) -> Iterator[tuple[float, list[Any]]]:
        time = 0.0
        for packet in continuous(self._container.demux(stream), self._container):
            for frame in packet.decode():
                base = frame.time_base
                if frame.pts is not None and base is not None:
                    frame.pts -= round(start / base)
                    time = float(frame.pts * base)
                if time < 0 and not self._before_zero:
                    continue
                if time >= self._length:
                    yield time, into.encode(None)
                    return
                yield time, into.encode(frame)
        yield time, into.encode(None)
