"""Crops that cannot be read are told as damaged, never as an accident."""

from __future__ import annotations

import pytest

from screenalytics_core.crops import decode_crop
from screenalytics_core.errors import ArtifactCorruptError


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_crop_that_is_no_picture_is_damaged(content: bytes) -> None:
    with pytest.raises(ArtifactCorruptError, match="is no picture"):
        decode_crop(content)
