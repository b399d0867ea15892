"""What people type to ask a server, as they type it: in a shell, in Python."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.integration.api_server import ApiServer

WAIT_S = 120.0
DOCUMENTED = "localhost:8000"
# A Streamlit page as it was written for the first job API, and what stands around it there.
SEED_CLIENT = """\
import requests

# Start job
resp = requests.post(f"{API_BASE}/jobs/episode-run", json={
    "ep_id": ep_id,
    "device": "coreml",
    "stride": 4,
    "save_crops": True,
})
job_id = resp.json()["job_id"]

# Store in session state
st.session_state["episode_run_job_id"] = job_id

# Poll status
while True:
    status = requests.get(f"{API_BASE}/jobs/{job_id}").json()
    if status["state"] in ("succeeded", "failed"):
        break
    time.sleep(5)

# On success, load artifacts
if status["state"] == "succeeded":
    summary = status["summary"]
    st.success(f"Found {summary['identities_count']} identities!")
"""
SEED_PAGE = f"""\
import time
from types import SimpleNamespace

API_BASE, ep_id = "http://{DOCUMENTED}", "rhobh-s05e14"
st = SimpleNamespace(session_state={{}}, success=print)
"""


@dataclass
class Terminal:
    """A folder with `episode.mp4` in it, where commands that name port 8000 reach a server.

    Attributes:
        known: What the answers said so far; `{job_id}` in a command is what stands here.
    """

    server: ApiServer
    folder: Path
    known: dict[str, Any] = field(default_factory=dict)

    def shell(self, command: str) -> str:
        """Run a command; curl says nothing but the answer, and ends in error at a refusal."""
        for name, value in self.known.items():
            command = command.replace(f"{{{name}}}", str(value))
        there = f"{DOCUMENTED}:127.0.0.1:{self.server.port}"
        curlrc = f'silent\nshow-error\nfail-with-body\nconnect-to = "{there}"\n'
        (self.folder / ".curlrc").write_text(curlrc)
        said = self._run(["bash", "-c", command], CURL_HOME=str(self.folder))
        if re.match(r"\{.*\}\s*$", said, re.DOTALL):
            self.known |= json.loads(said)
        return said

    def python(self, script: str) -> str:
        """Run a script and return what it prints."""
        here = script.replace(DOCUMENTED, f"127.0.0.1:{self.server.port}")
        return self._run([sys.executable, "-c", here]).strip()

    def _run(self, command: list[str], **more: str) -> str:
        ended = subprocess.run(
            command, cwd=self.folder, env={**os.environ, **more}, timeout=WAIT_S,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{command[-1]}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout
