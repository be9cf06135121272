"""A throwaway object store from a wheel: `rclone serve s3` over a folder, where objects lie as files of their names."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from s3fs import S3FileSystem

KEY, SECRET = "dubline-test", "not-a-secret"
BUCKET = "dub"


class ObjectStore:
    """A context manager; 127.0.0.1 only, one key, one bucket. It may be stopped, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bucket = folder / "objects" / BUCKET
        self.bucket.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to keep its artifacts here: nothing of the machine's own key or profile counts."""
        return {
            "DUBLINE_ARTIFACTS": f"s3://{BUCKET}/artifacts",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self) -> Any:
        """The store as another machine sees it, at once: the server remembers its folder for minutes."""
        return S3FileSystem(
            key=KEY, secret=SECRET, endpoint_url=self.url, use_listings_cache=False, skip_instance_cache=True
        )

    def objects(self) -> dict[str, int]:
        """Bytes by name in the bucket, without what the server has not finished."""
        files = [path for path in self.bucket.rglob("*") if path.is_file() and not path.name.startswith(".rclone_temp")]
        return {path.relative_to(self.bucket).as_posix(): path.stat().st_size for path in files}

    def unfinished(self) -> int:
        """Bytes that have arrived of objects that are not whole yet."""
        return sum(path.stat().st_size for path in self.bucket.rglob(".rclone_temp*"))

    def start(self) -> None:
        rclone = shutil.which("rclone", path=str(Path(sys.executable).parent)) or "rclone"
        serve = [rclone, "serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", f"{KEY},{SECRET}"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RCLONE_")}
        with (self.folder / "rclone.log").open("ab") as log:
            self._server = subprocess.Popen(
                [*serve, "--vfs-cache-mode", "off", str(self.folder / "objects")],
                stdout=log, stderr=log, env=clean | {"RCLONE_CONFIG": os.devnull},
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline or self._server.poll() is not None:
                self.stop()
                raise RuntimeError((self.folder / "rclone.log").read_text())

    def stop(self) -> None:
        """Kills the server; what is on its way does not arrive."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            self._server = None

    def freeze(self) -> None:
        """The machine is reached and nobody answers."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def _answers(self) -> bool:
        try:
            asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
            asked.request("GET", "/")
            return asked.getresponse().status > 0
        except OSError:
            return False
        finally:
            asked.close()

    def __enter__(self) -> "ObjectStore":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
