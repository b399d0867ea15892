"""Pictures from anywhere: which are read, whose face is taken, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from screenalytics_core.errors import GalleryError
from screenalytics_core.gallery import pictures
from screenalytics_core.gallery.pictures import draft_of, read_picture
from screenalytics_core.vision.face_quality import Gates
from screenalytics_core.vision.models.protocols import FaceBoxes, Image
from tests.face_fakes import Face

GATES = Gates(min_size_px=20, min_confidence=0.5, min_sharpness=8.0, min_frontality=0.05)
SCENE = cv2.resize(np.random.default_rng(1).integers(0, 255, (3, 4, 3)).astype(np.uint8), (120, 90))


class Seeing:
    """A detector that finds what it is told, and remembers the pictures it was given."""

    def __init__(self, *faces: Face, only_from_px: int = 0) -> None:
        self.faces = faces
        self.only_from_px = only_from_px
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, image_bgr: Image) -> FaceBoxes:
        self.shapes.append(image_bgr.shape)
        faces = self.faces if image_bgr.shape[1] >= self.only_from_px else ()
        return FaceBoxes(
            np.array([f.bbox for f in faces], np.float32).reshape(-1, 4),
            np.array([f.confidence for f in faces], np.float32),
            np.array([f.landmarks() for f in faces], np.float32).reshape(-1, 10),
        )


def drawn(*faces: Face) -> Image:
    image = np.full((192, 320, 3), 60, np.uint8)
    for face in faces:
        face.draw(image)
    return image


def encoded(image: Image, suffix: str = ".png") -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def pillowed(mode: str, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(SCENE[..., ::-1]).convert(mode).save(file, kind, **how)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def huge_png(width: int, height: int) -> bytes:
    """A few bytes that say they are a picture of any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_known_kinds_are_read_as_they_look(suffix: str) -> None:
    assert np.abs(read_picture(encoded(SCENE, suffix), "a").astype(int) - SCENE).mean() < 5


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "turn"), [(1, None), (6, cv2.ROTATE_90_CLOCKWISE), (3, cv2.ROTATE_180)]
)
def test_a_picture_that_was_taken_turned_is_turned_back(
    kind: str, orientation: int, turn: int | None
) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind == "JPEG" else {}

    read = read_picture(pillowed("RGB", kind, exif=exif.tobytes(), **lossless), "a")

    upright = SCENE if turn is None else cv2.rotate(SCENE, turn)
    assert read.shape == upright.shape
    assert np.abs(read.astype(int) - upright).mean() < 5


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("1", "PNG"), ("CMYK", "JPEG"), ("L", "JPEG")],
)
def test_every_kind_of_colour_becomes_the_same(mode: str, kind: str) -> None:
    assert read_picture(pillowed(mode, kind), "a").shape == (90, 120, 3)


WHOLE = {kind: pillowed("RGB", kind) for kind in ("JPEG", "PNG", "WEBP")}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "no whole", id="empty"),
        pytest.param(b"hello", "no whole", id="text"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no whole", id="svg"),
        pytest.param(bytes(5000), "no whole", id="zeros"),
        pytest.param(WHOLE["JPEG"][: len(WHOLE["JPEG"]) // 2], "no whole", id="truncated JPEG"),
        pytest.param(WHOLE["JPEG"][:30], "no whole", id="a JPEG's head"),
        pytest.param(WHOLE["PNG"][: len(WHOLE["PNG"]) // 2], "no whole", id="truncated PNG"),
        pytest.param(WHOLE["WEBP"][: len(WHOLE["WEBP"]) // 2], "no whole", id="truncated WebP"),
        pytest.param(pillowed("RGB", "GIF"), "no whole", id="GIF"),
        pytest.param(pillowed("RGB", "BMP"), "no whole", id="BMP"),
        pytest.param(pillowed("RGB", "TIFF"), "no whole", id="TIFF"),
        pytest.param(huge_png(60_000, 60_000), "has over 64 million px", id="a bomb"),
        pytest.param(
            huge_png(2**31 - 1, 2**31 - 1), "has over 64 million px", id="the largest bomb"
        ),
        pytest.param(huge_png(9_000, 8_000), "9000 x 8000 px, over 64", id="just too large"),
        pytest.param(huge_png(4_000, 4_000), "no whole", id="large with few bytes"),
        pytest.param(encoded(np.zeros((8, 8), np.uint16)), "not 8 bits", id="16 bits"),
    ],
)
def test_hostile_files_are_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(GalleryError, match=reason) as raised:
        read_picture(content, "a.jpg")

    assert raised.value.thing == "picture a.jpg"


def test_every_broken_byte_gives_a_picture_or_the_one_error() -> None:
    rng = np.random.default_rng(3)
    for content in WHOLE.values():
        for _ in range(60):
            broken = bytearray(content)
            for at in rng.integers(0, len(broken), 6).tolist():
                broken[at] = int(rng.integers(256))
            try:
                assert read_picture(bytes(broken), "a").ndim == 3
            except GalleryError as error:
                assert error.thing == "picture a"  # noqa: PT017  either is fine


def test_a_file_over_the_limit_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_FILE_BYTES", 1 << 20)

    with pytest.raises(GalleryError, match="larger than 1 MiB"):
        read_picture(WHOLE["PNG"] + bytes(1 << 20), "a")


def test_the_only_face_is_cut_out_aligned_and_measured() -> None:
    face = Face(0)

    found = draft_of(encoded(drawn(face)), "kim.png", Seeing(face), GATES)

    assert found.crop_bgr.shape == (112, 112, 3)
    assert found.source == "kim.png"
    assert 0 < found.quality <= 1
    assert found.crop_bgr[56, 56, 2] > 80 > found.crop_bgr[56, 56, 0]


def test_of_a_large_and_a_small_face_the_large_one_is_meant() -> None:
    large, small = Face(0, (20, 20, 120, 150)), Face(0, (200, 20, 240, 70), (200, 0, 0))

    found = draft_of(encoded(drawn(large, small)), "a", Seeing(small, large), GATES)

    assert found.crop_bgr[56, 56, 2] > found.crop_bgr[56, 56, 0]


@pytest.mark.parametrize(
    ("faces", "reason"),
    [
        pytest.param([], "shows no face", id="nobody"),
        pytest.param(
            [Face(0, (10, 20, 90, 120)), Face(0, (150, 20, 230, 100))],
            r"shows 2 faces of similar size \(100 and 80 px high\)\. Cut it",
            id="two",
        ),
        pytest.param([Face(0, (10, 10, 25, 28))], "its face is 15 px, 20 are needed", id="small"),
        pytest.param([Face(0, confidence=0.4)], "is doubtful: confidence 0.40", id="doubtful"),
        pytest.param([Face(0, contrast=0.0)], "is blurred: sharpness", id="blurred"),
        pytest.param([Face(0, turned=20.0)], "turned away: frontality 0.0", id="profile"),
    ],
)
def test_a_picture_that_shows_nobody_well_is_refused(faces: Sequence[Face], reason: str) -> None:
    with pytest.raises(GalleryError, match=reason):
        draft_of(encoded(drawn(*faces)), "a", Seeing(*faces), GATES)


def test_a_face_that_fills_its_picture_is_found_within_a_border() -> None:
    """Half a picture of nothing on each side: what is found there is cut out of that one."""
    detector = Seeing(Face(0, (200, 116, 260, 196)), only_from_px=400)

    found = draft_of(encoded(drawn(Face(0))), "a", detector, GATES)

    assert found.crop_bgr[56, 56, 2] > 80
    assert detector.shapes == [(192, 320, 3), (384, 640, 3)]


def test_the_same_picture_gives_the_same_draft() -> None:
    content = encoded(drawn(Face(0)))
    one, other = (draft_of(content, "a", Seeing(Face(0)), GATES) for _ in range(2))

    assert (one.crop_bgr == other.crop_bgr).all()
    assert (one.quality, one.source_sha256) == (other.quality, other.source_sha256)
