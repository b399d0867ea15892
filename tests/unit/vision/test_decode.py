"""Frames carry exact indices and times, whatever container, codec and defect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from screenalytics_core.errors import VideoChangedError, VideoError
from screenalytics_core.vision import decode, seeking
from screenalytics_core.vision.decode import PyAvFrame, open_video, probe_video
from tests import videos
from tests.videos import make_video, numbered, read_number, solid, with_rectangle

QUIET_HEVC = {"codec": "libx265", "options": {"x265-params": "log-level=0"}}
LEADING_HEVC = {
    "codec": "libx265",
    "options": {
        "x265-params": "log-level=0:open-gop=0:radl=2:bframes=3:keyint=10:min-keyint=10:"
        "b-adapt=0:scenecut=0"
    },
    "b_frames": 3,
}
FORMATS = [
    pytest.param("v.mp4", {}, id="h264 with B-frames in mp4"),
    pytest.param("v.mp4", {"options": {"x264-params": "open-gop=1"}}, id="h264 open gop"),
    pytest.param("v.mp4", {"muxer_options": {"movflags": "frag_keyframe+empty_moov"}}, id="fmp4"),
    pytest.param("v.mkv", {}, id="h264 in mkv"),
    pytest.param("v.ts", {}, id="h264 in ts"),
    pytest.param("v.mp4", QUIET_HEVC, id="hevc"),
    pytest.param("v.webm", {"codec": "libvpx-vp9"}, id="vp9"),
    pytest.param("v.mp4", {"codec": "libsvtav1"}, id="av1"),
    pytest.param("v.avi", {"codec": "mpeg4"}, id="mpeg4 in avi"),
    pytest.param("v.mkv", {"codec": "mpeg2video"}, id="mpeg2"),
]  # fmt: skip
COUNT = 40


def summary(frame: PyAvFrame) -> tuple[int, float, float, str]:
    pixels = hashlib.sha256(frame.bgr().tobytes()).hexdigest()
    return frame.frame_idx, frame.timestamp_s, frame.duration_s, pixels


def times(path: Path) -> list[float]:
    return [round(f.timestamp_s, 6) for f in open_video(path).frames()]


def durations(path: Path) -> list[float]:
    return [round(f.duration_s, 6) for f in open_video(path).frames()]


@pytest.mark.parametrize(("name", "how"), FORMATS)
def test_every_frame_comes_once_in_presentation_order(
    name: str, how: dict[str, Any], tmp_path: Path
) -> None:
    video = open_video(make_video(tmp_path / name, numbered(COUNT), **how))

    frames = list(video.frames())

    assert [read_number(f.bgr()) for f in frames] == list(range(COUNT))
    assert [f.frame_idx for f in frames] == list(range(COUNT))
    steps = np.diff([f.timestamp_s for f in frames])
    assert steps == pytest.approx(np.full(COUNT - 1, 0.04))
    assert [f.duration_s for f in frames] == pytest.approx([0.04] * COUNT)


@pytest.mark.parametrize(("name", "how"), FORMATS)
@pytest.mark.parametrize(
    "wanted", [[0], [COUNT - 1], [3, 4, 30], [13, 25, 26, 39], list(range(COUNT)), []], ids=str
)
def test_frames_by_index_are_those_of_a_whole_pass(
    name: str, how: dict[str, Any], wanted: list[int], tmp_path: Path
) -> None:
    video = open_video(make_video(tmp_path / name, numbered(COUNT), **how))
    whole = [summary(f) for f in video.frames()]

    assert [summary(f) for f in video.frames_at(wanted)] == [whole[i] for i in wanted]


JUMPABLE = [p for p in FORMATS if p.id not in {"mpeg4 in avi", "mpeg2"}]


@pytest.mark.parametrize(("name", "how"), JUMPABLE)
def test_indices_are_proven_for_the_usual_formats(
    name: str, how: dict[str, Any], tmp_path: Path
) -> None:
    plan = seeking.make_plan(make_video(tmp_path / name, numbered(COUNT), **how))

    assert plan is not None
    assert plan.frame_count == COUNT
    assert len(plan.key_idxs) > 2


def test_the_codec_has_its_own_name_whoever_decodes_it(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(3), codec="libsvtav1")

    assert probe_video(path).codec == "av1"


@pytest.mark.parametrize(
    ("name", "how"),
    [
        pytest.param("v.mp4", {}, id="closed groups"),
        pytest.param("v.mkv", {"options": {"x264-params": "open-gop=1"}}, id="open groups"),
        pytest.param("v.mkv", QUIET_HEVC, id="hevc"),
        pytest.param("v.mkv", LEADING_HEVC, id="hevc with pictures that lead their keyframe"),
    ],
)
def test_groups_of_pictures_without_a_wanted_frame_are_not_decoded(
    name: str, how: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / name, numbered(120), gop=10, **how)
    video = open_video(path)
    decoded = 0
    original = seeking.demux.PictureReader._decode

    def counting(self: Any, packet: Any) -> Any:
        nonlocal decoded
        for picture in original(self, packet):
            decoded += 1
            yield picture

    monkeypatch.setattr(seeking.demux.PictureReader, "_decode", counting)

    assert [read_number(f.bgr()) for f in video.frames_at([5, 95])] == [5, 95]
    assert decoded < 50


def test_pictures_that_no_other_leans_on_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = open_video(make_video(tmp_path / "v.mp4", numbered(COUNT), gop=COUNT))
    whole = [summary(f) for f in video.frames()]
    decoded: list[int | None] = []
    original = seeking.demux.PictureReader._decode

    def noting(self: Any, packet: Any) -> Any:
        for picture in original(self, packet):
            decoded.append(picture.pts)
            yield picture

    monkeypatch.setattr(seeking.demux.PictureReader, "_decode", noting)

    for idx in range(20, 28):
        assert [summary(f) for f in video.frames_at([idx])] == [whole[idx]]
    assert len(decoded) < 8 * 20


def test_a_jump_that_lands_elsewhere_falls_back_to_decoding_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(60), gop=10)
    plan = seeking.make_plan(path)
    assert plan is not None
    wrong = seeking.SeekPlan(
        tuple(t + (i > 30) for i, t in enumerate(plan.pts)),
        plan.key_idxs, plan.time_base, plan.step_ticks, plan.stream_end,
    )  # fmt: skip
    monkeypatch.setattr(decode, "make_plan", lambda _: wrong)
    video = open_video(path)

    frames = list(video.frames_at([2, 44, 59]))

    assert [read_number(f.bgr()) for f in frames] == [2, 44, 59]
    assert [f.timestamp_s for f in frames] == pytest.approx([0.08, 1.76, 2.36])


def spliced_ts(path: Path, frame_count: int) -> Path:
    """Two recordings in one file; the second one's clock starts again."""
    content = make_video(path, numbered(frame_count)).read_bytes()
    path.write_bytes(content + content)
    return path


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda folder: make_video(folder / "v.avi", numbered(6), codec="mpeg4"),
            id="a codec with pictures that are hidden or share a packet",
        ),
        pytest.param(lambda folder: spliced_ts(folder / "v.ts", 10), id="equal time stamps"),
    ],
)
def test_there_is_no_jumping_where_indices_are_not_proven(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    assert seeking.make_plan(make(tmp_path)) is None


def test_there_is_no_jumping_where_joined_recordings_overlap_in_time(tmp_path: Path) -> None:
    first, second = (
        make_video(
            tmp_path / f"{shift}.ts",
            numbered(50),
            pts=[shift + 40 * i for i in range(50)],
            time_base=Fraction(1, 1000),
        )
        for shift in (0, 1020)
    )
    first.write_bytes(first.read_bytes() + second.read_bytes())

    assert seeking.make_plan(first) is None
    assert read_number(next(open_video(first).frames_at([62])).bgr()) == 12


def test_a_restarted_clock_goes_on_where_it_was(tmp_path: Path) -> None:
    path = spliced_ts(tmp_path / "v.ts", 50)

    assert np.diff(times(path)) == pytest.approx(np.full(99, 0.04))
    frames = open_video(path).frames_at([49, 50, 99])
    assert [read_number(f.bgr()) for f in frames] == [49, 0, 49]


@pytest.mark.parametrize("wanted", [[3, 3], [4, 2], [-1, 2]], ids=str)
def test_indices_must_ascend(wanted: list[int], tmp_path: Path) -> None:
    video = open_video(make_video(tmp_path / "v.mp4", numbered(6)))

    with pytest.raises(ValueError, match="strictly ascending"):
        list(video.frames_at(wanted))


def test_an_index_past_the_end_is_refused_after_the_frames_that_exist(tmp_path: Path) -> None:
    video = open_video(make_video(tmp_path / "v.mp4", numbered(6)))
    frames = video.frames_at([2, 6])

    assert next(frames).frame_idx == 2
    with pytest.raises(VideoError, match="has no frame 6"):
        next(frames)


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "v.mp4", numbered(6), pts=[100, 140, 300, 340, 1340, 1360],
        time_base=Fraction(1, 1000),
    )  # fmt: skip

    assert times(path) == [0.1, 0.14, 0.3, 0.34, 1.34, 1.36]
    assert durations(path)[:5] == [0.04, 0.16, 0.04, 1.0, 0.02]
    assert durations(path)[5] > 0


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv"])
def test_the_last_frame_lasts_as_long_as_the_file_says(name: str, tmp_path: Path) -> None:
    path = make_video(
        tmp_path / name, numbered(4), pts=[0, 40, 80, 480], time_base=Fraction(1, 1000)
    )

    assert durations(path) == [0.04, 0.04, 0.4, 0.04]
    assert next(open_video(path).frames_at([3])).duration_s == 0.04


def test_a_single_frame_lasts_as_long_as_the_file_says(tmp_path: Path) -> None:
    assert durations(make_video(tmp_path / "v.mp4", numbered(1))) == [0.04]


def test_facts_are_those_of_the_picture_as_shown(tmp_path: Path) -> None:
    facts = probe_video(
        make_video(tmp_path / "v.mp4", numbered(30), Fraction(30000, 1001), audio_s=1.0)
    )

    assert (facts.width_px, facts.height_px, facts.rotation_deg) == (160, 96, 0)
    assert facts.fps == Fraction(30000, 1001)
    assert facts.frame_count == 30
    assert facts.duration_s == pytest.approx(1.001)
    assert (facts.codec, facts.pixel_format, facts.has_audio) == ("h264", "yuv420p", True)


@pytest.mark.parametrize(
    ("rotation_deg", "corner"),
    [(90, "bottom left"), (180, "bottom right"), (-90, "top right"), (0, "top left")],
)
def test_rotation_is_applied(rotation_deg: int, corner: str, tmp_path: Path) -> None:
    marked = with_rectangle(solid((0, 0, 0)), (0, 0, 40, 40), (255, 255, 255))
    video = open_video(make_video(tmp_path / "v.mp4", [marked] * 3, rotation_deg=rotation_deg))
    frame = next(video.frames())

    upright = rotation_deg % 180 == 0
    assert (video.facts.width_px, video.facts.height_px) == ((160, 96) if upright else (96, 160))
    for picture in (frame.bgr(), frame.small_bgr(80)):
        corners = {
            "top left": picture[2, 2], "top right": picture[2, -3],
            "bottom left": picture[-3, 2], "bottom right": picture[-3, -3],
        }  # fmt: skip
        assert [name for name, pixel in corners.items() if pixel.mean() > 200] == [corner]
    assert frame.bgr().shape[:2] == (video.facts.height_px, video.facts.width_px)


def test_a_slanted_display_matrix_is_refused(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(3), rotation_deg=45)

    with pytest.raises(VideoError, match="rotated by 45 degrees, not a quarter turn"):
        open_video(path)


@pytest.mark.parametrize(
    ("sample_aspect", "shape"),
    [
        pytest.param(Fraction(64, 45), (96, 228), id="wide pixels widen"),
        pytest.param(Fraction(3, 4), (128, 160), id="tall pixels heighten"),
        pytest.param(Fraction(1), (96, 160), id="square ones stay"),
        pytest.param(Fraction(320, 321), (96, 160), id="almost square ones stay"),
    ],
)
def test_pixels_are_made_square(
    sample_aspect: Fraction, shape: tuple[int, int], tmp_path: Path
) -> None:
    video = open_video(make_video(tmp_path / "v.mp4", numbered(3), sample_aspect=sample_aspect))

    assert next(video.frames()).bgr().shape == (*shape, 3)
    assert (video.facts.height_px, video.facts.width_px) == shape


@pytest.mark.parametrize(
    ("how", "width", "height"),
    [
        pytest.param({"pixel_format": "yuv444p"}, 161, 97, id="odd sides"),
        pytest.param({"pixel_format": "yuv420p10le"}, 160, 96, id="ten bits"),
        pytest.param({"codec": "ffv1", "pixel_format": "bgr0"}, 163, 99, id="lossless RGB"),
        pytest.param({"codec": "ffv1", "pixel_format": "gray"}, 160, 96, id="grey"),
        pytest.param({"codec": "mjpeg", "pixel_format": "yuvj420p"}, 160, 96, id="full range"),
    ],
)
def test_any_pixel_format_becomes_bgr(
    how: dict[str, Any], width: int, height: int, tmp_path: Path
) -> None:
    colour = (40, 40, 40) if how["pixel_format"] == "gray" else (20, 60, 220)
    pictures = [solid(colour, width=width, height=height)] * 3

    frame = next(open_video(make_video(tmp_path / "v.mkv", pictures, **how)).frames())

    assert frame.bgr().shape == (height, width, 3)
    assert frame.bgr().dtype == np.uint8
    assert frame.bgr().flags.c_contiguous
    assert np.abs(frame.bgr()[height // 2, width // 2] - np.array(colour)).max() <= 6


def test_the_picture_is_converted_once(tmp_path: Path) -> None:
    frame = next(open_video(make_video(tmp_path / "v.mp4", numbered(3))).frames())

    assert frame.bgr() is frame.bgr()


def test_a_small_picture_keeps_the_shape_and_is_never_enlarged(tmp_path: Path) -> None:
    frame = next(open_video(make_video(tmp_path / "v.mp4", numbered(3))).frames())

    assert frame.small_bgr(40).shape == (24, 40, 3)
    assert frame.small_bgr(1000).shape == (96, 160, 3)


def test_frames_outlive_the_pass(tmp_path: Path) -> None:
    frames = list(open_video(make_video(tmp_path / "v.mp4", numbered(30))).frames())

    assert [read_number(f.bgr()) for f in reversed(frames)] == list(reversed(range(30)))


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        pytest.param("v.mp4", lambda p: None, "does not exist. Check the path.", id="missing"),
        pytest.param("v.mp4", Path.mkdir, "is not a file", id="folder"),
        pytest.param("v.mp4", lambda p: p.write_bytes(b""), r"is empty \(0 bytes\)", id="empty"),
        pytest.param("v.mp4", videos.make_not_a_video, "is not a video", id="text"),
        pytest.param("v.mkv", videos.make_zero_frame, "holds no frame", id="no frame"),
        pytest.param(
            "v.mp4", videos.make_audio_only, r"no video stream \(streams: audio\)", id="audio"
        ),
        pytest.param(
            "v.mp4", videos.make_truncated,
            r"is cut short: 2\d of 60 frames are missing, the first at 1\.\d\d s",
            id="mp4, index first",
        ),
        pytest.param(
            "v.mp4", lambda p: videos.make_truncated(p, muxer_options={}),
            r"is an incomplete MP4: the index \(moov\)", id="mp4, index last",
        ),
        pytest.param(
            "v.mkv", lambda p: videos.make_truncated(p, muxer_options={}),
            r"ends at 1\.\d\d of 2.40 s; the last good frame is at 1\.\d\d s", id="mkv",
        ),
        pytest.param(
            "v.webm",
            lambda p: videos.make_truncated(p, muxer_options={}, codec="libvpx-vp9"),
            r"ends at 1\.\d\d of 2.40 s", id="webm",
        ),
        pytest.param(
            "v.avi", lambda p: videos.make_truncated(p, muxer_options={}, codec="mpeg4"),
            r"is cut short; the last good frame is at \d\.\d\d s", id="avi",
        ),
        pytest.param(
            "v.mp4",
            lambda p: videos.make_truncated(
                p, muxer_options={"movflags": "frag_keyframe+empty_moov"}
            ),
            "is cut short", id="fragmented mp4",
        ),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_the_reason_and_the_way_out(
    name: str, make: Callable[[Path], object], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    make(path)

    with pytest.raises(VideoError, match=reason) as raised:
        list(open_video(path).frames())

    assert str(raised.value).startswith(f"video {path}: ")
    assert raised.value.fields["way_out"]


def test_damage_in_the_middle_is_located(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mkv", numbered(60), b_frames=0, codec="libvpx-vp9", gop=60)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 60] = bytes(60)
    path.write_bytes(content)

    with pytest.raises(VideoError, match=r"the last good frame is at [01]\.\d\d s"):
        list(open_video(path).frames())


def test_a_packet_that_cannot_be_decoded_is_located(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(60), b_frames=0)
    with av.open(str(path)) as container:
        positions = [p.pos for p in container.demux(video=0) if p.pos is not None]
    content = bytearray(path.read_bytes())
    content[positions[30] + 4] = 30  # the type of the unit that should hold the picture
    path.write_bytes(content)

    with pytest.raises(VideoError, match=r"cannot be decoded \(.*last good frame is at 1\.16 s"):
        list(open_video(path).frames())


def test_a_frame_that_the_decoder_swallows_is_missed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(60), codec="libsvtav1")
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.pos is not None]
    # A packet of three bytes shows a picture that was sent before; one of three bytes of
    # padding is as valid and shows none.
    start = next(position for position, size in packets[30:] if size == 3)
    content = bytearray(path.read_bytes())
    content[start : start + 3] = bytes([0x7A, 0x01, 0x80])
    path.write_bytes(content)

    with pytest.raises(VideoError, match="gives 59 pictures for 60 frames"):
        list(open_video(path).frames())


def without_packets(source: Path, target: Path, count: int) -> Path:
    """A copy of a video without its first packets."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for index, packet in enumerate(old.demux(video=0)):
            if index >= count and packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target


@pytest.mark.parametrize(("name", "codec"), [("v.ts", "libx264"), ("v.mkv", "libvpx-vp9")])
def test_a_recording_may_start_in_the_middle_of_a_group(
    name: str, codec: str, tmp_path: Path
) -> None:
    whole = make_video(tmp_path / f"whole-{name}", numbered(60), gop=20, codec=codec)
    path = without_packets(whole, tmp_path / name, 5)

    numbers = [read_number(f.bgr()) for f in open_video(path).frames()]

    assert numbers[-40:] == list(range(20, 60))
    assert seeking.make_plan(path) is None
    frame = next(open_video(path).frames_at([len(numbers) - 1]))
    assert read_number(frame.bgr()) == 59


def test_a_damaged_first_frame_is_not_passed_over(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mkv", numbered(60), gop=20, codec="libvpx-vp9")
    with av.open(str(path)) as container:
        first = next(container.demux(video=0))
        content = path.read_bytes()
        start = content.index(bytes(first)[:16])
    path.write_bytes(content[:start] + bytes(16) + content[start + 16 :])

    with pytest.raises(VideoError, match=r"cannot be decoded .*at 0\.00 s"):
        open_video(path)


def test_an_avi_that_ends_between_two_frames_is_cut_short(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.avi", numbered(60), codec="mpeg4", b_frames=0)
    with av.open(str(path)) as container:
        positions = [p.pos for p in container.demux(video=0) if p.pos is not None]
    path.write_bytes(path.read_bytes()[: positions[40]])

    with pytest.raises(VideoError, match=r"ends after 40 of 60 frames"):
        list(open_video(path).frames())


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    picture = make_video(tmp_path / "cover.mjpeg", [solid((9, 9, 9))], codec="mjpeg",
                         pixel_format="yuvj420p").read_bytes()  # fmt: skip
    sound = videos.make_audio_only(tmp_path / "sound.mka")
    path = tmp_path / "v.mkv"
    with av.open(str(sound)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        new.add_attachment("cover.jpg", "image/jpeg", picture)
        for packet in old.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)

    with pytest.raises(VideoError, match="no video stream"):
        open_video(path)


class StubPacket:
    """What the proof of indices looks at."""

    def __init__(self, pts: int | None, kind: str = "") -> None:
        self.pts = self.dts = pts
        self.size = 0 if kind == "empty" else 9
        self.is_keyframe = kind == "key"
        self.is_discard = kind == "hidden"
        self.is_corrupt = kind == "corrupt"


@pytest.mark.parametrize(
    ("packets", "proven"),
    [
        pytest.param([(0, "key"), (80, ""), (40, ""), (120, "key")], True, id="plain"),
        pytest.param([(0, "key"), (40, ""), (120, "key"), (80, "")], True, id="open group"),
        pytest.param([(0, "key"), (40, ""), (40, "")], False, id="equal"),
        pytest.param([(0, "key"), (-40, "")], False, id="before the first keyframe"),
        pytest.param([(0, ""), (40, "key")], False, id="starts in a group"),
        pytest.param([(0, "key"), (80, "key"), (60, "key")], False, id="keys not in order"),
        pytest.param([(0, "key"), (80, "key"), (160, "key"), (70, "")], False, id="a step back"),
        pytest.param([(0, "key"), (40, "hidden")], False, id="edit list"),
        pytest.param([(0, "key"), (40, "corrupt")], False, id="corrupt"),
        pytest.param([(0, "key"), (40, "empty")], False, id="an empty sample"),
        pytest.param([(0, "key"), (None, "")], False, id="no time stamp"),
    ],
)  # fmt: skip
def test_indices_are_proven_by_rule(packets: list[tuple[int, str]], proven: bool) -> None:
    found = seeking._provable_packets([StubPacket(*p) for p in packets])  # type: ignore[misc]

    assert (found is not None) == proven


def test_pictures_that_change_their_size_are_given_in_the_first_ones(tmp_path: Path) -> None:
    small = make_video(tmp_path / "a.ts", numbered(30))
    large = make_video(tmp_path / "b.ts", numbered(30, width=320, height=192))
    small.write_bytes(small.read_bytes() + large.read_bytes())

    frames = list(open_video(small).frames())

    assert {f.bgr().shape for f in frames} == {(96, 160, 3)}
    assert [read_number(f.bgr()) for f in frames] == [*range(30), *range(30)]


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(3))

    # Root may read everything, so the refusal is made up.
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(av, "open", refuse)

    with pytest.raises(VideoError, match="may not be read by this user"):
        open_video(path)


def test_a_video_that_is_replaced_between_passes_is_noticed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(6))
    video = open_video(path)
    video.check_unchanged()
    make_video(path, numbered(7))

    with pytest.raises(VideoChangedError, match="was replaced or edited while"):
        video.check_unchanged()
    with pytest.raises(VideoChangedError):
        next(video.frames())
    with pytest.raises(VideoChangedError):
        next(video.frames_at([1]))


def test_a_video_that_is_replaced_during_a_pass_is_noticed_at_its_end(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(6))
    frames = open_video(path).frames()
    next(frames)
    other = make_video(tmp_path / "other.mp4", numbered(6))
    other.replace(path)

    with pytest.raises(VideoChangedError, match="Leave the file alone"):
        list(frames)


def test_a_video_that_is_removed_is_noticed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", numbered(6))
    video = open_video(path)
    path.unlink()

    with pytest.raises(VideoChangedError, match="was removed"):
        video.check_unchanged()
