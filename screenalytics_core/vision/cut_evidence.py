"""Whether a shot begins at a frame, judged by the pictures before and after it.

A cut changes most of the picture, far more than the frames around it change, and the old
picture does not come back. One or two frames that blend both pictures may lie between; a
dissolve or fade is a longer blend. What is judged is local: `LOOK_BACK` and `LOOK_AHEAD`
frames, so that a video scanned in pieces gives the same cuts.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from screenalytics_core.vision.picture_change import (
    Blend,
    Thumb,
    blend_of,
    is_relit,
    pixel_change,
    same_colour,
    structural_change,
)

LOOK_AHEAD: Final = 8
# A gradual change lies up to 8 frames after the middle of its window, is news only if the 8
# frames before its middle saw none, and these reach 8 frames further back.
LOOK_BACK: Final = 24

# At most two blended frames: more is a dissolve.
_MAX_STEP_FRAMES: Final = 3
# Change (`structural_change`) from which it may be a cut; if the colours jumped, too, and if
# blended frames lie between. Neighbouring frames of one shot stay under 0.18 in 99 %.
_CHANGED: Final = 0.2
_CHANGED_WITH_COLOUR: Final = 0.12
_CHANGED_OVER_BLEND: Final = 0.3
# Frames around a cut are taken to change at least so much: nothing is infinitely still.
_STILL: Final = 0.03
# A blend's neighbours lie as many frames apart as it is long, so they change more.
_OVER_BLEND_RATIO: Final = 2 / 3
_BLEND_UNEXPLAINED: Final = 0.1
# Somebody else before the same wall changes less of the picture, but all at once: no six frames
# before or after change a fifth as many pixels. Of steps inside a shot that change so much of
# the structure none was 1.5 times as large as those (4.4 times behind three dropped pictures);
# of 40 people exchanged before one background, 38 were 5 times.
_EXCHANGED: Final = 0.4
_EXCHANGED_SHARE: Final = 0.3
_EXCHANGED_PIXELS: Final = 0.3
_EXCHANGE_RATIO: Final = 5.0
_EXCHANGE_REACH: Final = 6
# The old picture is back if it is half as far as the cut is wide, and no farther than frames
# of one shot are from each other after 8 frames (95 % of them).
_SAME_SHARE: Final = 0.5
_SAME_MOST: Final = 0.25
# A flash lasts at most so long; what lasts two frames at most is no shot, whatever it shows.
_FLASH_FRAMES: Final = 7
_GLITCH_FRAMES: Final = 2

# A dissolve is seen within frames -8 ... +8; of a longer one that is only a part, in which
# the picture changes less, so from about 30 frames on many are missed. With a lower threshold
# slow motion would look like one. A short one is also seen from nearer by, where less has
# moved (of 100 blends of 4 to 20 frames within 8 frames 64 are found, within all three 72).
_REACH: Final = 8
_REACHES: Final = (_REACH, 6, 5)
_GRADUAL_CHANGED: Final = 0.3
# Motion is not explained, and there is some in most dissolves: at 0.16 and 0.4 a tenth more of
# them are found, and two and a half times as many pans and zooms look like one.
_GRADUAL_UNEXPLAINED_MEAN: Final = 0.12
_GRADUAL_UNEXPLAINED_MAX: Final = 0.3
# Shares of the new picture: both are seen on at least 4 frames, and no step of it is a jump.
_SEEN_SHARE: Final = 0.15
_MIN_MIXED_FRAMES: Final = 4
_MAX_JUMP: Final = 0.22
_MAX_SETBACK: Final = 0.08


class CutEvidence:
    """The frames around the one that is judged.

    Args:
        ratio: How many times more a cut must change than the frames around it.
    """

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio
        self._thumbs: dict[int, Thumb] = {}
        self._changes: dict[tuple[int, int], float] = {}
        self._gradual: dict[int, int | None] = {}
        self._first = 0
        self._last = -1

    def push(self, frame_idx: int, thumb: Thumb) -> None:
        """Take the next frame."""
        if not self._thumbs:
            self._first = frame_idx
        self._thumbs[frame_idx] = thumb
        self._last = frame_idx

    def forget_before(self, frame_idx: int) -> None:
        """Let go of frames that will not be asked for any more."""
        for known in (self._thumbs, self._gradual):
            for key in [k for k in known if k < frame_idx]:
                del known[key]
        for pair in [p for p in self._changes if p[0] < frame_idx]:
            del self._changes[pair]
        self._first = max(self._first, frame_idx)

    def is_cut(self, frame_idx: int, *, colours_jumped: bool) -> bool:
        """Return whether a new picture begins with the frame, in one to three steps.

        Args:
            frame_idx: Not after the last frame pushed; if fewer than `LOOK_AHEAD` frames
                follow, the video ends with them.
            colours_jumped: A detector of colours says so.
        """
        new = self._thumbs[frame_idx]
        if frame_idx <= self._first or new.is_black:
            # The shot before ends in black; what comes after the black is the new one.
            return False
        if colours_jumped and new.is_flat and self._thumbs[frame_idx - 1].is_flat:
            return True
        return self._exchanges(frame_idx) or any(
            self._is_step(frame_idx - length, frame_idx, colours_jumped)
            and not self._comes_back(frame_idx - length, frame_idx)
            for length in range(1, _MAX_STEP_FRAMES + 1)
            if frame_idx - length >= self._first
        )

    def gradual_place(self, frame_idx: int) -> int | None:
        """Return where a dissolve or fade passes its middle, if one is seen first at a frame.

        Args:
            frame_idx: The middle of what is looked at. The place is this frame or one of the
                `LOOK_AHEAD` after it.
        """
        place = self._dissolve_at(frame_idx)
        if place is None or self._any_dissolve(frame_idx - _REACH, frame_idx):
            return None
        return place

    def _is_step(self, old: int, new: int, colours_jumped: bool) -> bool:
        """Whether the change from `old` to `new` stands out; between them are only blends."""
        length = new - old
        if length == 1:
            least = _CHANGED_WITH_COLOUR if colours_jumped else _CHANGED
            change = self._change(old, new) if self._peaks(old, new) else 0.0
            return change >= least and self._stands_out(change, old, new)
        if self._any_dissolve(new - _REACH, new + 1) or not self._blends_between(old, new):
            return False
        change = self._change(old, new)
        around = (
            self._change(old - length, old),
            self._change(new, new + length),
            self._change(old - 1, old),
            self._change(new, new + 1),
        )
        ratio = self._ratio * _OVER_BLEND_RATIO
        return change >= _CHANGED_OVER_BLEND and change >= ratio * max(around)

    def _exchanges(self, new: int) -> bool:
        """Whether a part of the picture is another at once or over one blended frame."""
        return self._is_exchange(new - 1, new) or (
            new - 2 >= self._first
            and self._is_exchange(new - 2, new)
            and self._blends_between(new - 2, new)
        )

    def _is_exchange(self, old: int, new: int) -> bool:
        """Whether a part of the picture changes, and all rests before and after.

        What goes within six frames, such as a flash, was no exchange: then there is no rest.
        """
        here = self._pixel_change(old, new)
        if here < _EXCHANGED_PIXELS:
            return False
        before = self._pixel_change(old - _EXCHANGE_REACH, old)
        after = self._pixel_change(new, new + _EXCHANGE_REACH)
        if here < _EXCHANGE_RATIO * max(before, after):
            return False
        a, b = self._thumbs[old], self._thumbs[new]
        change = max(
            structural_change(a, b, _EXCHANGED_SHARE), structural_change(b, a, _EXCHANGED_SHARE)
        )
        return change >= _EXCHANGED

    def _peaks(self, old: int, new: int) -> bool:
        """Whether a step changes more pixels than the steps beside it: quick."""
        here = self._pixel_change(old, new)
        return here >= max(self._pixel_change(old - 1, old), self._pixel_change(new, new + 1))

    def _stands_out(self, change: float, old: int, new: int) -> bool:
        around = (
            self._change(old - 1, old),
            self._change(old - 2, old - 1),
            self._change(new, new + 1),
            self._change(new + 1, new + 2),
        )
        return change >= self._ratio * max(sum(around) / len(around), _STILL)

    def _blends_between(self, old: int, new: int) -> bool:
        if self._pixel_change(old, new) < _CHANGED:
            return False
        blend = self._blend(old, new)
        shares = blend.new_share
        # Of a picture without structure any factor explains as much: the other's alone tells.
        flat_old, flat_new = (self._thumbs[i].has_no_structure for i in (old, new))
        if flat_old and flat_new:
            return False
        if flat_old or flat_new:
            shares = blend.new if flat_old else 1 - blend.old
        return bool(
            blend.unexplained.max() <= _BLEND_UNEXPLAINED
            and shares.min() >= 0.1
            and shares.max() <= 0.9
        )

    def _comes_back(self, old: int, new: int) -> bool:
        """Whether the old picture is seen again soon, or the new one was seen just before."""
        limit = min(_SAME_SHARE * self._change(old, new), _SAME_MOST)
        return any(
            self._was_flash(old, range(new, new + count), new + count, limit)
            or self._was_flash(new, range(old - count + 1, new), old - count, limit)
            for count in range(1, _FLASH_FRAMES + 1)
        )

    def _was_flash(self, picture: int, flash: range, beyond: int, limit: float) -> bool:
        """Whether a picture is seen beyond some frames, too, and these are no shot."""
        if not self._first <= beyond <= self._last:
            return False
        a, b = (self._thumbs[i] for i in (picture, beyond))
        if not same_colour(a, b) or self._change(*sorted((picture, beyond))) >= limit:
            return False
        is_glitch = len(flash) <= _GLITCH_FRAMES
        return is_glitch or is_relit(a, [self._thumbs[i] for i in flash])

    def _any_dissolve(self, start: int, end: int) -> bool:
        return any(self._dissolve_at(i) is not None for i in range(start, end))

    def _dissolve_at(self, middle: int) -> int | None:
        """Return where the window around a frame passes from the old to the new picture."""
        if middle not in self._gradual:
            self._gradual[middle] = self._find_dissolve(middle)
        return self._gradual[middle]

    def _find_dissolve(self, middle: int) -> int | None:
        places = (self._find_dissolve_within(middle, reach) for reach in _REACHES)
        return next((place for place in places if place is not None), None)

    def _find_dissolve_within(self, middle: int, reach: int) -> int | None:
        old, new = middle - reach, middle + reach
        if old < self._first or new > self._last:
            return None
        if self._pixel_change(old, new) < _GRADUAL_CHANGED:
            return None
        blend = self._blend(old, new)
        if not _is_gradual(blend) or self._change(old, new) < _GRADUAL_CHANGED:
            return None
        place = old + 1 + int(np.argmax(blend.new_share >= 0.5))
        return max(place, middle)

    def _blend(self, old: int, new: int) -> Blend:
        return blend_of([self._thumbs[i] for i in range(old, new + 1)])

    def _pixel_change(self, old: int, new: int) -> float:
        old, new = max(old, self._first), min(new, self._last)
        return pixel_change(self._thumbs[old], self._thumbs[new]) if old < new else 0.0

    def _change(self, old: int, new: int) -> float:
        """Return the structural change between two frames; beyond the ends nothing changes."""
        pair = max(old, self._first), min(new, self._last)
        if pair[0] >= pair[1]:
            return 0.0
        if pair not in self._changes:
            a, b = (self._thumbs[i] for i in pair)
            self._changes[pair] = max(structural_change(a, b), structural_change(b, a))
        return self._changes[pair]


def _is_gradual(blend: Blend) -> bool:
    """Whether pictures pass steadily from the first to the last one."""
    shares = blend.new_share
    mixed = (shares > _SEEN_SHARE) & (shares < 1 - _SEEN_SHARE)
    steps = np.diff(np.concatenate(([0.0], shares, [1.0])))
    return bool(
        mixed.sum() >= _MIN_MIXED_FRAMES
        and min(blend.old.min(), blend.new.min()) >= -0.1
        and steps.max() <= _MAX_JUMP
        and steps[1:-1].min() >= -_MAX_SETBACK
        and blend.unexplained.mean() <= _GRADUAL_UNEXPLAINED_MEAN
        and blend.unexplained.max() <= _GRADUAL_UNEXPLAINED_MAX
    )
