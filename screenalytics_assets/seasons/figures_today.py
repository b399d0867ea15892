"""Whether an episode's figures would come out otherwise now, with the settings that they have.

It is the question that backfills ask (`outdated.outdated_outputs`), asked with the run's own
settings and models: so no model need be on this machine, and only what lies outside of the run
can have changed.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final, NoReturn

from screenalytics_assets.binding import Bound
from screenalytics_assets.graph import ASSET_OF_KIND
from screenalytics_assets.known_people import KnownPeople
from screenalytics_assets.outdated import outdated_outputs
from screenalytics_assets.settings_as_before import config_of
from screenalytics_assets.stores import Stores
from screenalytics_core.artifacts import ArtifactKind
from screenalytics_core.backfills.choice import told
from screenalytics_core.backfills.facts import Outdated
from screenalytics_core.episode_registry import recorded_video
from screenalytics_core.episodes import EpisodeId
from screenalytics_core.errors import ArtifactCorruptError, ModelError
from screenalytics_core.manifest import Manifest
from screenalytics_core.runs import RunBinding, RunRecord
from screenalytics_core.vision.models.protocols import Calibration, ModelFile, PackInfo

_CHANGED: Final = "changed"
"""Stands for a gallery with faces that the run's embedder never saw: no run was made from it."""


class FiguresToday:
    """Compares runs with the world of now; each gallery is read once."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._galleries: dict[tuple[str | None, str | None], str] = {}

    def why_stale(self, record: RunRecord, manifest: Manifest) -> str:
        """Say what of a run's screen time would come out otherwise now; empty if nothing.

        Raises:
            ArtifactCorruptError: The episode's decisions are damaged.
        """
        video = recorded_video(self._stores.storage, record.ep_id)
        if video is None:
            return "its video is gone"
        if video.sha256 != record.video.get("sha256"):
            return "its video was replaced"
        config = config_of(record)
        binding = RunBinding(config, video.to_dict(), record.models, record.code_ref, record.source)
        bound = Bound(binding, config, _RecordedPack(record))
        known = _KnownNow(self, self._stores, record)
        _ = known.decisions  # damaged ones are told by themselves: a season needs them
        try:
            found = outdated_outputs(self._stores, bound, record, known)
        except ArtifactCorruptError as error:
            # The show's cast: whether it changed cannot be told.
            found = (Outdated("cast", (str(error),)),)
        counted = {ASSET_OF_KIND[kind] for kind in manifest.upstream([ArtifactKind.SCREEN_TIME])}
        return told([one for one in found if one.output in counted])

    def gallery_sha256(self, record: RunRecord, known: KnownPeople) -> str:
        """Return the hash of the gallery that a run of the record's models would see now."""
        key = (EpisodeId.parse(record.ep_id).show, record.model_sha256s.get("face_embedder"))
        if key not in self._galleries:
            try:
                gallery = known.gallery
                self._galleries[key] = gallery.sha256 if gallery else "none"
            except ModelError:  # vectors are missing
                self._galleries[key] = _CHANGED
        return self._galleries[key]


class _KnownNow(KnownPeople):
    """What is known of an episode's people now, as far as it can be told without a model."""

    def __init__(self, today: FiguresToday, stores: Stores, record: RunRecord) -> None:
        super().__init__(stores, record.ep_id, _RecordedPack(record))
        self._today = today
        self._record = record

    @cached_property
    def gallery_sha256(self) -> str:
        return self._today.gallery_sha256(self._record, self)


class _RecordedPack:
    """The pack that a run was bound to, which need not be on this machine: none of it opens."""

    def __init__(self, record: RunRecord) -> None:
        files = tuple(ModelFile(**file) for file in record.models.get("files", ()))
        # The thresholds that counted are in the run's settings.
        self.info = PackInfo(str(record.models.get("pack", "")), files, Calibration(0, 0, 0))

    def face_detector(self, *, max_side_px: int, min_confidence: float) -> NoReturn:  # noqa: ARG002 - a protocol's
        raise self._closed()

    def face_embedder(self) -> NoReturn:
        raise self._closed()

    def person_detector(self, *, min_confidence: float) -> NoReturn:  # noqa: ARG002 - a protocol's
        raise self._closed()

    def person_embedder(self) -> NoReturn:
        raise self._closed()

    def _closed(self) -> ModelError:
        return ModelError(
            thing=f"model pack {self.info.name}",
            reason="is only known from a run's record",
            way_out="Run the episode again.",
        )
