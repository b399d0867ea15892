"""The material: clips beside the checkout, or the demo episode; looped and cut by stream copy.

A looped file holds the very packets of its clip, so every pass decodes to the same pictures,
and its timestamps go on without a gap.
"""

from __future__ import annotations

from pathlib import Path

import av

# The labelled clips; others beside them serve other purposes.
CLIP_NAMES = ("avenger2", "herapheri", "dirtydancing", "short_hamilton_clip")


def clips_in(folder: Path) -> list[Path]:
    """Return the labelled clips that are in `folder`."""
    return [path for name in CLIP_NAMES if (path := folder / f"{name}.mp4").is_file()]


def loop_video(source: Path, target: Path, loops: int) -> Path:
    """Write the video stream of `source`, repeated `loops` times, to `target`."""
    with av.open(str(target), "w") as out:
        stream = None
        offset = 0
        for _ in range(loops):
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                start, end = 0, 0
                for packet in container.demux(video):
                    if packet.pts is None or packet.dts is None:
                        continue
                    length = packet.duration or 0
                    start = packet.pts if end == 0 else min(start, packet.pts)
                    end = max(end, packet.pts + length)
                    packet.pts += offset
                    packet.dts += offset
                    packet.stream = stream
                    out.mux(packet)
                offset += end - start
    return target


def cut_video(source: Path, target: Path, seconds: float) -> Path:
    """Write the first `seconds` of the video stream of `source` to `target`."""
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        video = container.streams.video[0]
        stream = out.add_stream_from_template(video)
        start: int | None = None
        for packet in container.demux(video):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue
            start = packet.pts if start is None else start
            if (packet.dts - start) * packet.time_base >= seconds:
                break
            packet.stream = stream
            out.mux(packet)
    return target


def frame_count(path: Path) -> int:
    """Return how many frames decode."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))
