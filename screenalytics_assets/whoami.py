"""Who does something, as records name them."""

from __future__ import annotations

import getpass
import os
import socket


def whoami() -> str:
    """Return `user@host`, for records."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        user = f"uid{os.getuid()}"
    return f"{user}@{socket.gethostname()}"
