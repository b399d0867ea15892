"""Sound is copied as it is: packet by packet, neither decoded nor encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import av
from av.container import InputContainer, OutputContainer

# Sound is cut between packets. One that begins this much before a part still belongs to it.
_SLACK_S: Final = 0.001
# Files hold what is heard together close together: no stream lags behind another by so much.
_LAG_S: Final = 10.0


class SoundCopy:
    """Copies every sound stream that MP4 can hold.

    Args:
        source: Opened for this alone: its packets are read here.
        target: Not yet written to.
        start_s: Packets before it are left out, and later ones moved to begin at 0; None
            copies everything at its own time.
        end_s: Packets from here on are left out.

    Attributes:
        warnings: What is missing, as sentences.
    """

    def __init__(
        self,
        source: InputContainer,
        target: OutputContainer,
        start_s: float | None,
        end_s: float | None,
    ) -> None:
        self.warnings: list[str] = []
        self._target = target
        self._start_s, self._end_s = start_s, end_s
        self._streams: dict[int, Any] = {}
        self._last_dts: dict[int, int] = {}
        for stream in source.streams.audio:
            name = stream.codec_context.codec.canonical_name
            if name in target.supported_codecs:
                self._streams[stream.index] = target.add_stream_from_template(stream)
            else:
                self.warnings.append(f"sound in {name} is left out: MP4 cannot hold it")
        if self._streams and start_s is not None and start_s > 0:
            source.seek(int(start_s * av.time_base), backward=True)
        self._packets = self._read(source)
        self._next = next(self._packets, None)
        self._out_of_order = 0

    def _read(self, source: InputContainer) -> Iterator[Any]:
        if not self._streams:
            return
        for packet in source.demux([source.streams[i] for i in self._streams]):
            if packet.dts is None or packet.size == 0:
                continue
            at_s = _time_s(packet)
            if self._start_s is not None and at_s < self._start_s - _SLACK_S:
                continue
            if self._end_s is None or at_s < self._end_s:
                yield packet
            elif at_s >= self._end_s + _LAG_S:
                return

    def until(self, time_s: float) -> None:
        """Write the packets up to a time of the source, or all with infinity."""
        while self._next is not None and _time_s(self._next) <= time_s:
            self._write(self._next)
            self._next = next(self._packets, None)

    def _write(self, packet: Any) -> None:
        index = packet.stream.index
        if self._start_s is not None:
            shift = round(self._start_s / packet.time_base)
            packet.dts -= shift
            packet.pts = None if packet.pts is None else packet.pts - shift
        if packet.dts <= self._last_dts.get(index, packet.dts - 1):
            # MP4 knows no way back in time.
            self._out_of_order += 1
            return
        self._last_dts[index] = packet.dts
        packet.stream = self._streams[index]
        self._target.mux(packet)

    def close(self) -> None:
        """Write the rest."""
        self.until(float("inf"))
        if self._out_of_order:
            self.warnings.append(
                f"{self._out_of_order} packets of sound are left out: their time goes back"
            )


def _time_s(packet: Any) -> float:
    return float((packet.dts if packet.pts is None else packet.pts) * packet.time_base)
