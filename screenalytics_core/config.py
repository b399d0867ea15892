"""`EpisodeRunConfig`: every setting of a run, its range, its profiles.

Precedence: a field given > profile > default. The bare class carries the seed's values;
`run`, the API and the UI start from the profile `balanced`. Thresholds on a model's
scores default to None here and to the pack's calibrated value when a run is bound.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import reprlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from screenalytics_core.errors import SettingsError

Profile = Literal["low_power", "balanced", "high_accuracy"]
DEFAULT_PROFILE: Final[Profile] = "balanced"

PROFILES: Final[dict[str, dict[str, Any]]] = {
    "low_power": {"stride": 24, "min_stride": 6, "body_stride": 12, "det_max_side_px": 480,
                  "max_samples_per_track": 6, "embed_batch": 4,
                  "save_crops": False, "force_recluster": False},
    "balanced": {"stride": 12, "min_stride": 2, "body_stride": 6, "det_max_side_px": 640,
                 "max_samples_per_track": 6, "embed_batch": 4,
                 "save_crops": False, "force_recluster": False},
    "high_accuracy": {"stride": 1, "min_stride": 1, "body_stride": 2, "det_max_side_px": 960,
                      "max_samples_per_track": 16,
                      "save_crops": False, "force_recluster": False},
}  # fmt: skip

# Frames between two regular looks of a detector that may look closer: a worker holds as many, of
# 12 MB each in 4K.
MOST_HELD_FRAMES: Final = 24

# They say how to launch, not what a run is: a run is not bound to them.
LAUNCH_FIELDS: Final = frozenset(
    {"reuse_detections", "reuse_embeddings", "force_recluster", "models", "workers"}
)


class EpisodeRunConfig(BaseModel):
    """Settings of one run; `SettingsError` refuses unknown names and values out of range."""

    model_config = ConfigDict(
        # Infinity and NaN are no JSON, and settings stand in run.json.
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
    )

    device: Literal["auto", "cpu", "cuda", "coreml"] = Field(
        "auto", description="where the detectors run"
    )
    embed_device: Literal["auto", "cpu", "cuda", "coreml"] | None = Field(
        None, description="where the embedder runs; null = as device"
    )
    models: str = Field(
        "auto", min_length=1, description="pack name, directory of ONNX files, or auto"
    )
    detector: Literal["retinaface"] = Field("retinaface", description="the pack's face detector")
    det_thresh: float | None = Field(
        None, gt=0, lt=1, description="confidence of a track's strong detections; null = pack's"
    )
    det_max_side_px: int = Field(
        640, ge=128, le=4096, description="longer side of the detector's input"
    )
    stride: int = Field(1, ge=1, le=300, description="every n-th frame is given to the detector")
    min_stride: int = Field(
        300,
        ge=1,
        le=300,
        description="where two looks leave doubt, it looks this close; stride or more = never",
    )
    tracker: Literal["bytetrack"] = Field("bytetrack", description="face tracker")
    track_buffer: int = Field(
        15, ge=0, le=3000, description="frames (at the average rate) that a lost track is kept"
    )
    min_track_samples: int = Field(
        2, ge=1, le=100, description="observed detections below which a track is dropped"
    )
    scene_detector: Literal["pyscenedetect", "content", "off"] = Field(
        "pyscenedetect", description="pyscenedetect = adaptive; content = fixed threshold"
    )
    scene_threshold: float = Field(27.0, gt=0, le=255, description="content detector's threshold")
    adaptive_threshold: float = Field(3.0, gt=0, le=100, description="adaptive detector's ratio")
    min_face_px: int = Field(20, ge=1, le=2000, description="shorter side of an accepted face")
    min_sharpness: float = Field(
        8.0, ge=0, description="variance of the Laplacian of an accepted crop"
    )
    min_frontality: float = Field(0.05, ge=0, le=1, description="pose gate, 1 = frontal")
    max_samples_per_track: int = Field(16, ge=1, le=200, description="faces embedded per track")
    embed_batch: int = Field(16, ge=1, le=512, description="crops per call of the embedder")
    cluster_thresh: float | None = Field(
        None,
        gt=-1,
        lt=1,
        description="minimum mean similarity (cosine x clarity) to join; null = pack's",
    )
    min_identity_sim: float | None = Field(
        None, gt=-1, lt=1, description="minimum similarity to the identity's centre; null = pack's"
    )
    match_thresh: float | None = Field(
        None,
        gt=-1,
        lt=1,
        description="minimum similarity to a cast member to be named; null = pack's",
    )
    match_margin: float | None = Field(
        None,
        ge=0,
        lt=1,
        description="minimum lead over the next cast member to be named; null = pack's",
    )
    body_tracking: bool = Field(True, description="look for bodies, which fill in hidden faces")
    body_stride: int = Field(
        2, ge=1, le=300, description="every n-th frame is given to the person detector"
    )
    body_thresh: float = Field(
        0.5, ge=0.25, lt=1, description="confidence of a body track's strong detections"
    )
    body_bridge_s: float = Field(
        10.0, ge=0, le=600, description="longest time that a body's appearance stands for a face, s"
    )
    save_crops: bool = Field(True, description="also write loose crops under frames/")
    save_frames: bool = Field(False, description="also write the faces' frames under frames/")
    thumb_size: int = Field(256, ge=16, le=2048, description="side of loose thumbnails, px")
    jpeg_quality: int = Field(85, ge=1, le=100, description="of loose crops, thumbs and frames")
    workers: int = Field(
        0, ge=0, le=256, description="parallel one-thread inferences; 0 = one per core"
    )
    reuse_detections: bool = Field(
        False,
        description="take existing detections and tracks though settings changed; bodies' too",
    )
    reuse_embeddings: bool = Field(
        False, description="take existing faces and embeddings though settings changed"
    )
    force_recluster: bool = Field(True, description="always run clustering again")

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_truth_as_number(cls, value: Any, info: ValidationInfo) -> Any:
        is_number = cls.model_fields[str(info.field_name)].annotation is not bool
        if isinstance(value, bool) and is_number:
            # pydantic would take true for 1.
            raise PydanticCustomError("truth_value", "is a truth value, which this setting is not")
        return value

    def __init__(self, **given: Any) -> None:
        for name in given:
            if name not in type(self).model_fields:
                raise SettingsError(
                    thing=f"setting {reprlib.repr(name)}",
                    reason="does not exist",
                    way_out=_nearest(name),
                )
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise _first_of(error) from None
        if self.min_stride < self.stride > MOST_HELD_FRAMES:
            raise SettingsError(
                thing=f"setting stride = {self.stride}",
                reason=f"is above {MOST_HELD_FRAMES} with min_stride = {self.min_stride}: frames "
                "between two looks are held until it is known whether to look closer",
                way_out=f"Set stride to at most {MOST_HELD_FRAMES}, or min_stride={self.stride}.",
                setting="stride",
            )

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any], profile: str | None = None) -> Self:
        """Build settings from `given` over `profile` over the defaults.

        Raises:
            SettingsError: A name or profile does not exist (the nearest one is named), or a
                value is out of range or of the wrong type.
        """
        if profile is not None and profile not in PROFILES:
            raise SettingsError(
                thing=f"profile {profile!r}",
                reason="does not exist",
                way_out=f"Use one of {', '.join(PROFILES)}.",
            )
        return cls(**{**(PROFILES[profile] if profile else {}), **given})

    def binding_hash(self) -> str:
        """Return the sha256 over what a run is bound to: all fields but `LAUNCH_FIELDS`."""
        return settings_hash({k: v for k, v in self.model_dump().items() if k not in LAUNCH_FIELDS})

    def only(self, names: Iterable[str]) -> SettingsView:
        """Return the view that a step gets: the fields it declares, and no other."""
        return SettingsView({name: getattr(self, name) for name in names})


class SettingsView:
    """Read-only access to the settings that a step declared; they enter its fingerprint.

    Reading another one is a bug that would make stale results look fresh, so it raises.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        """Give a declared setting by name."""
        try:
            return object.__getattribute__(self, "_values")[name]
        except KeyError:
            raise AttributeError(f"setting {name!r} is not declared by this step") from None

    def as_dict(self) -> dict[str, Any]:
        """Return a copy of the values."""
        return dict(self._values)


def settings_hash(values: Mapping[str, Any]) -> str:
    """Return the sha256 of `values` as canonical JSON (sorted keys, no blanks)."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _first_of(error: ValidationError) -> SettingsError:
    first = error.errors()[0]
    name = str(first["loc"][0])
    return SettingsError(
        thing=f"setting {name} = {reprlib.repr(first.get('input'))}",
        reason=first["msg"][:1].lower() + first["msg"][1:],
        way_out=f"{name}: {EpisodeRunConfig.model_fields[name].description}.",
        setting=name,
    )


def _nearest(name: str) -> str:
    if name == "profile":
        return "It is chosen beside the settings: --profile, or from_mapping(..., profile=...)."
    close = difflib.get_close_matches(name, EpisodeRunConfig.model_fields, n=1)
    names = ", ".join(EpisodeRunConfig.model_fields)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {names}."
