"""Overlays of small real videos, decoded again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from screenalytics_core.errors import ScreenalyticsError, SettingsError, VideoError
from screenalytics_core.overlay import encoding
from screenalytics_core.overlay.encoding import open_output
from screenalytics_core.overlay.people import colour_of
from screenalytics_core.overlay.scene import RunFindings
from screenalytics_core.overlay.sound import SoundCopy
from screenalytics_core.overlay.video import Part, write_overlay
from screenalytics_core.vision.decode import open_video
from tests.unit.overlay.findings import association, found, identity, named, track_row
from tests.videos import cut_file, make_video, numbered, read_number, solid

GREY = (96, 96, 96)
FACE = (60.0, 30.0, 100.0, 70.0)
BODY = (40.0, 20.0, 130.0, 94.0)


def times_of(path: Path) -> list[float]:
    frames = list(open_video(path).frames())
    return [*(f.timestamp_s for f in frames), frames[-1].timestamp_s + frames[-1].duration_s]


def findings_of(path: Path, *, bodies: bool = False) -> RunFindings:
    """One person's face from frame 5 to 14, missed at frame 12, and a body around it."""
    times_s = times_of(path)
    row = track_row(dict.fromkeys((5, 8, 10, 12, 14), FACE), times_s, unseen=(12,))
    return found(
        times_s,
        {1: row},
        identities=[identity("id_0001", 1)],
        cast=[named("id_0001", "anna", "Anna")],
        bodies={2: track_row({0: BODY, 19: BODY}, times_s)} if bodies else None,
        associations=[association(2, "id_0001")] if bodies else (),
    )


def pictures(path: Path) -> list[NDArray[np.uint8]]:
    return [frame.bgr() for frame in open_video(path).frames()]


def packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.get({kind: 0})[0]
        return [
            (p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.pts is not None
        ]


def with_noise(silent: Path, codec: str, name: str) -> Path:
    """The video with sound of which no two packets are alike."""
    path = silent.with_name(name)
    noise = np.random.default_rng(0)
    with av.open(str(silent)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        sound: Any = target.add_stream(codec, rate=44100, layout="mono")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
        for start in range(0, 44100 * 3, 1024):
            wave = noise.integers(-9000, 9000, (1, 1024), np.int16)
            frame = av.AudioFrame.from_ndarray(wave, "s16", "mono")
            frame.sample_rate, frame.pts = 44100, start
            target.mux(sound.encode(frame))
        target.mux(sound.encode(None))
    return path


def is_near(pixels: NDArray[np.uint8], colour: tuple[int, int, int], by: int = 60) -> NDArray[Any]:
    return np.asarray(np.abs(pixels.astype(int) - colour).max(axis=-1) <= by)


def test_every_frame_is_there_at_its_time(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.mp4", numbered(60), audio_s=2.4)
    told: list[tuple[int, int]] = []

    done = write_overlay(
        video,
        tmp_path / "out.mp4",
        findings_of(video),
        progress=lambda n, total: told.append((n, total)),
    )

    assert done.frames == 60
    assert done.warnings == ()
    assert times_of(tmp_path / "out.mp4") == times_of(video)
    assert [read_number(p) for p in pictures(tmp_path / "out.mp4")] == list(range(60))
    assert told == [(n, 60) for n in range(1, 61)]


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param(
            "in.mp4",
            {"pts": [0, 1000, 1500, 9000, 9001, 20000, 90000], "time_base": Fraction(1, 30000)},
            id="variable rate",
        ),
        pytest.param("in.mp4", {"fps": Fraction(30000, 1001)}, id="29.97"),
        pytest.param("in.ts", {"fps": Fraction(25)}, id="a clock that does not begin at 0"),
        pytest.param("in.mkv", {"fps": Fraction(24000, 1001)}, id="times in ms"),
        pytest.param(
            "in.avi",
            {"fps": Fraction(30000, 1001), "codec": "mjpeg", "pixel_format": "yuvj420p"},
            id="a tick of 1001 parts",
        ),
    ],
)
def test_timestamps_are_kept_whatever_they_are(
    name: str, how: dict[str, Any], tmp_path: Path
) -> None:
    video = make_video(tmp_path / name, numbered(len(how.get("pts", range(20)))), **how)
    times_s = times_of(video)

    write_overlay(video, tmp_path / "out.mp4", found(times_s, {}))

    assert times_of(tmp_path / "out.mp4")[:-1] == pytest.approx(times_s[:-1], abs=1e-9)


def test_a_video_that_begins_below_zero_is_moved_to_zero_with_its_sound(tmp_path: Path) -> None:
    video = make_video(
        tmp_path / "in.ts",
        numbered(50),
        pts=[i - 25 for i in range(50)],
        b_frames=0,
        audio_s=1.0,
        container_format="mpegts",
        muxer_options={"avoid_negative_ts": "disabled"},
    )
    assert times_of(video)[0] == -1.0

    write_overlay(video, tmp_path / "out.mp4", found(times_of(video), {}))

    assert times_of(tmp_path / "out.mp4")[:-1] == pytest.approx([i / 25 for i in range(50)])
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [read_number(f.to_ndarray(format="bgr24")) for f in container.decode(video=0)] == [
            *range(50)
        ]
    ours, theirs = packets(tmp_path / "out.mp4", "audio"), packets(video, "audio")
    assert len(ours) == len(theirs) > 40
    assert float(ours[0][0]) == pytest.approx(float(theirs[0][0]) + 1.0, abs=0.001)


def test_boxes_have_the_persons_colour_where_the_face_is(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.mp4", [solid(GREY)] * 20)

    write_overlay(video, tmp_path / "out.mp4", findings_of(video))

    shown = pictures(tmp_path / "out.mp4")
    colour = colour_of(0)
    left, top, right, bottom = (int(x) for x in FACE)
    for index, picture in enumerate(shown):
        line = is_near(picture[top:bottom, left : left + 2], colour)
        inner = is_near(picture[top + 10 : bottom - 4, left + 10 : right - 10], GREY, by=12)
        assert inner.mean() > 0.97
        if 5 <= index <= 10:
            assert line.mean() > 0.9
        elif index in (11, 12, 13):
            assert 0.2 < line.mean() < 0.8, "dashed beside a look at which it was missed"
        elif not 5 <= index <= 14:
            assert not line.any()


def test_a_body_is_drawn_thinner_in_the_same_colour(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.mp4", [solid(GREY)] * 20)

    write_overlay(video, tmp_path / "out.mp4", findings_of(video, bodies=True))

    alone = pictures(tmp_path / "out.mp4")[2]
    edge = alone[30:60, int(BODY[0])]
    assert np.abs(edge.astype(int) - GREY).max(axis=-1).mean() > 40
    assert is_near(alone[30:60, int(BODY[0]) + 3 : int(BODY[2]) - 3], GREY, by=25).all()


def test_sound_is_copied_byte_by_byte_and_at_its_time(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.mp4", numbered(50), audio_s=2.0)

    write_overlay(video, tmp_path / "out.mp4", findings_of(video))

    assert len(packets(video, "audio")) > 80
    assert packets(tmp_path / "out.mp4", "audio") == packets(video, "audio")


def test_sound_of_a_transport_stream_is_copied_too(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.ts", numbered(50), audio_s=2.0)

    done = write_overlay(video, tmp_path / "out.mp4", found(times_of(video), {}))

    assert done.warnings == ()
    ours, theirs = packets(tmp_path / "out.mp4", "audio"), packets(video, "audio")
    assert len(ours) == len(theirs)
    assert float(ours[0][0]) == pytest.approx(float(theirs[0][0]), abs=0.001)


def test_sound_that_mp4_cannot_hold_is_left_out_with_a_warning(tmp_path: Path) -> None:
    video = with_noise(make_video(tmp_path / "silent.mp4", numbered(25)), "pcm_mulaw", "in.mov")

    done = write_overlay(video, tmp_path / "out.mp4", found(times_of(video), {}))

    assert done.warnings == ("sound in pcm_mulaw is left out: MP4 cannot hold it",)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [s.type for s in container.streams] == ["video"]


def test_a_part_begins_at_zero_with_the_frame_that_was_on_screen(tmp_path: Path) -> None:
    video = with_noise(make_video(tmp_path / "silent.mp4", numbered(60)), "aac", "in.mp4")
    findings = findings_of(video)

    done = write_overlay(video, tmp_path / "out.mp4", findings, part=Part(start_s=0.815, end_s=1.6))

    assert done.frames == 20
    assert [read_number(p) for p in pictures(tmp_path / "out.mp4")] == list(range(20, 40))
    times_s = times_of(tmp_path / "out.mp4")
    assert times_s[:20] == pytest.approx([i / 25 for i in range(20)], abs=1e-9)
    sound, whole = packets(tmp_path / "out.mp4", "audio"), packets(video, "audio")
    inside = [(at, content) for at, content in whole if 0.8 <= at < 1.6]
    assert [content for _, content in sound] == [content for _, content in inside]
    assert all(
        abs(ours[0] - (theirs[0] - Fraction(4, 5))) < 0.001
        for ours, theirs in zip(sound, inside, strict=True)
    )


def test_sound_far_behind_a_part_is_not_read(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.mkv", numbered(25), audio_s=60.0)
    with av.open(str(video)) as source, open_output(tmp_path / "out.mp4") as target:
        sound = SoundCopy(source, target, 0.0, 0.5)
        sound.close()

        unread = next(source.demux(audio=0))

        assert unread.pts is not None
        assert unread.pts * unread.time_base < 30


def test_a_part_without_a_frame_is_refused(tmp_path: Path) -> None:
    video = make_video(tmp_path / "in.mp4", numbered(25))

    for part in (Part(start_s=1.0), Part(start_s=0.5, end_s=0.5), Part(end_s=0.0)):
        with pytest.raises(SettingsError, match=r"The video goes from 0\.00 to 1\.00 s"):
            write_overlay(video, tmp_path / "out.mp4", findings_of(video), part=part)


def test_a_turned_video_is_drawn_upright(tmp_path: Path) -> None:
    picture = solid(GREY)
    picture[:48] = (200, 200, 200)
    video = make_video(tmp_path / "in.mp4", [picture] * 20, rotation_deg=90)
    as_shown = pictures(video)[0]

    write_overlay(video, tmp_path / "out.mp4", found(times_of(video), {}))

    shown = pictures(tmp_path / "out.mp4")[0]
    assert open_video(tmp_path / "out.mp4").facts.rotation_deg == 0
    assert shown.shape == as_shown.shape == (160, 96, 3)
    assert np.abs(shown[40:].astype(int) - as_shown[40:]).mean() < 4


def test_odd_sides_become_even_without_moving_anything(tmp_path: Path) -> None:
    striped = solid((40, 40, 40), width=161, height=97)
    striped[:, ::8] = striped[:, 1::8] = (200, 200, 200)
    video = make_video(tmp_path / "in.mkv", [striped] * 6, codec="ffv1", pixel_format="bgr0")

    write_overlay(video, tmp_path / "out.mp4", found(times_of(video), {}))

    shown = pictures(tmp_path / "out.mp4")[0]
    assert shown.shape == (98, 162, 3)
    assert np.abs(shown[40:97, :161].astype(int) - striped[40:]).mean() < 4


@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 9])
def test_colours_survive(matrix: int, tmp_path: Path) -> None:
    colour = (40, 60, 200)
    tagged = {} if matrix == 2 else {"x264-params": f"colormatrix={X264_MATRIX[matrix]}"}
    video = make_video(tmp_path / "in.mp4", [solid(colour)] * 12, options=tagged)

    write_overlay(video, tmp_path / "out.mp4", found(times_of(video), {}))

    assert stored(tmp_path / "out.mp4") == pytest.approx(stored(video), abs=3)
    assert matrix_of(tmp_path / "out.mp4") == matrix_of(video)


X264_MATRIX = {1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}


def matrix_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return int(container.streams.video[0].codec_context.colorspace)


def stored(path: Path) -> list[float]:
    """Mean Y, U and V as they are stored, below the corner."""
    with av.open(str(path)) as container:
        planes = next(container.decode(video=0)).to_ndarray()
    height = planes.shape[0] * 2 // 3
    chroma = planes[height:].reshape(2, -1)
    return [float(planes[height // 2 : height].mean()), *map(float, np.median(chroma, axis=1))]


def test_a_video_that_breaks_off_is_an_error(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 255, (96, 160, 3), np.uint8) for _ in range(60)]
    video = make_video(tmp_path / "in.mp4", frames, muxer_options={"movflags": "faststart"})
    findings = findings_of(video)
    cut_file(video, 0.6)

    with pytest.raises(VideoError, match="cut short"):
        write_overlay(video, tmp_path / "out.mp4", findings)


def test_findings_of_a_longer_video_are_refused(tmp_path: Path) -> None:
    longer = make_video(tmp_path / "longer.mp4", numbered(30))
    video = make_video(tmp_path / "in.mp4", numbered(20))

    with pytest.raises(ScreenalyticsError):
        write_overlay(video, tmp_path / "out.mp4", findings_of(longer), part=Part(start_s=0.5))


def test_a_build_without_an_encoder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_ENCODERS", {"h264_of_nobody": {}})

    with pytest.raises(VideoError, match=r"no H\.264 encoder \(none of h264_of_nobody\)"):
        encoding.find_encoder()
