"""The ways in which a body is tied to a person."""

from __future__ import annotations

from enum import StrEnum


class Evidence(StrEnum):
    """What ties a body to an identity, in the order in which reports list it."""

    FACE_IN_BODY = "face_in_body"
    APPEARANCE = "appearance"
    NONE = "none"
