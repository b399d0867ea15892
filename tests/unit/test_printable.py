"""What commands print obeys nobody: no text of a run moves the cursor or turns the line round."""

from __future__ import annotations

import json

from screenalytics_assets.cli.cells import Cell, printable, printable_json

HOSTILE = "a\x1b[31m\x9b2J\u202eb\u2066c\ud800d"


def test_controls_overrides_and_half_characters_are_shown_as_such() -> None:
    shown = printable(HOSTILE + "\t\n")

    assert shown == "a�[31m�2J�b�c�d\t\n"
    assert Cell.of(HOSTILE).text.encode()


def test_text_that_runs_from_right_to_left_is_kept() -> None:
    assert printable("שלום عليكم") == "שלום عليكم"


def test_json_says_the_same_in_characters_that_a_terminal_does_not_obey() -> None:
    text = printable_json(json.dumps({HOSTILE: [HOSTILE, "Zoë"]}, ensure_ascii=False))

    assert json.loads(text) == {HOSTILE: [HOSTILE, "Zoë"]}
    assert not {"\x1b", "\x9b", "\u202e", "\ud800"} & set(text)
    assert "Zoë" in text
