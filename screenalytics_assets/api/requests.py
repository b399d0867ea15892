"""What a request for a job may say: the seed's keys, every setting of a run, and no other."""

from __future__ import annotations

import difflib
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from screenalytics_core.config import DEFAULT_PROFILE, EpisodeRunConfig, Profile
from screenalytics_core.errors import SettingsError


def _with_settings(schema: dict[str, Any]) -> None:
    """Show the settings in the document beside the launch's own keys.

    Without their defaults: what is not given is the profile's.
    """
    for name, setting in EpisodeRunConfig.model_json_schema()["properties"].items():
        schema["properties"][name] = {k: v for k, v in setting.items() if k != "default"}
    schema["additionalProperties"] = False


class JobRequest(BaseModel):
    """An episode to be run; settings that are left out are those of the profile."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra=_with_settings,
        title="JobRequest",
    )

    ep_id: str = Field(description="Episode.", examples=["rhobh-s05e14"])
    profile: Profile = Field(
        DEFAULT_PROFILE, description="Where settings that are not given come from."
    )
    run_id: str | None = Field(
        None, description="Resumes that run, or gives a new one its name; null mints one."
    )
    video_path: str | None = Field(
        None,
        description="A file in the data root or in an allowed folder, registered first; null "
        "takes the video that the episode has.",
    )
    upstream_run_id: str | None = Field(
        None, description="Run that inputs are taken from which this one lacks."
    )

    def config(self) -> EpisodeRunConfig:
        """Return the settings.

        Raises:
            SettingsError: A key is unknown (the nearest one is named), or a value is wrong.
        """
        given = dict(self.model_extra or {})
        for name in given:
            if name not in EpisodeRunConfig.model_fields:
                raise _unknown(name)
        return EpisodeRunConfig.from_mapping(given, profile=self.profile)


_KEYS: Final = (*JobRequest.model_fields, *EpisodeRunConfig.model_fields)


def _unknown(name: str) -> SettingsError:
    close = difflib.get_close_matches(name, _KEYS, n=1)
    return SettingsError(
        thing=f"key {name!r}",
        reason="does not exist",
        way_out=f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(_KEYS)}.",
    )
