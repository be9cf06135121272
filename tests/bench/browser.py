"""A headless Chromium, driven over its DevTools protocol: opens pages, presses, takes pictures, notes requests.

https://chromedevtools.github.io/devtools-protocol/ (Page, Runtime, Network, Emulation).
"""

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import connect
from websockets.sync.connection import Connection

QUIET = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
)  # fmt: skip


class Page:
    """One tab."""

    def __init__(self, socket: Connection) -> None:
        self._socket, self._number = socket, 0
        self.hosts: set[str] = set()  # that anything was asked of
        for name in ("Page", "Network", "Runtime"):
            self._say(f"{name}.enable")

    def open(self, url: str, width: int = 1400, height: int = 1000) -> None:
        self._say("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self._say("Page.navigate", url=url)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Until the page shows this text."""
        end = time.monotonic() + seconds
        while text not in str(self.run("document.body ? document.body.innerText : ''")):
            if time.monotonic() > end:
                raise TimeoutError(f"the page does not show {text!r}")
            time.sleep(0.3)

    def press(self, text: str) -> None:
        """Click the last button, link or tab that shows this text alone: a dialog's comes after the page's."""
        buttons = "[...document.querySelectorAll('button, a, .p-tab')]"
        one = f"{buttons}.findLast(each => each.innerText.trim() === {json.dumps(text)})"
        found = self.run(f"(() => {{ const one = {one}; if (one) one.click(); return !!one; }})()")
        if not found:
            raise LookupError(f"the page has no button {text!r}")

    def run(self, script: str) -> Any:
        """What a JavaScript expression gives."""
        return self._say("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def picture(self, to: Path) -> None:
        to.write_bytes(base64.b64decode(self._say("Page.captureScreenshot", format="png")["data"]))

    def _say(self, method: str, **given: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": given}))
        while True:
            heard = json.loads(self._socket.recv(timeout=60))
            if heard.get("method") == "Network.requestWillBeSent":
                self.hosts.add(urlsplit(heard["params"]["request"]["url"]).hostname or "no host")
            if heard.get("id") == self._number:
                if "error" in heard:
                    raise RuntimeError(f"{method}: {heard['error']}")
                return heard["result"]


@contextmanager
def chromium() -> Iterator[Page]:
    """A page of a browser of its own. FileNotFoundError where there is no Chromium."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise FileNotFoundError("chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # its processes end a moment later
        running = subprocess.Popen([found, *QUIET, f"--user-data-dir={folder}"], stderr=subprocess.PIPE, text=True)
        try:
            assert running.stderr is not None
            said = next(m for line in running.stderr if (m := re.search(r"ws://([^/]+)/", line)))
            with urllib.request.urlopen(urllib.request.Request(f"http://{said[1]}/json/new", method="PUT")) as answer:
                tab = json.load(answer)["webSocketDebuggerUrl"]
            with connect(tab, max_size=2**26, max_queue=None, ping_interval=None) as socket:
                yield Page(socket)
        finally:
            running.kill()
            running.wait()
