"""Trains OmniSync's starter where only models/ and a folder were brought: `python -m models.omnisync.train FOLDER`."""

import argparse
from pathlib import Path

import cv2

from models.omnisync.train import recipe
from models.omnisync.train.learn import learn


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.omnisync.train", description="Trains OmniSync's starter.")
    parser.add_argument("folder", type=Path, help="with clips/ of `dubline train prepare`")
    parser.add_argument("--settings", type=Path, default=recipe.SETTINGS, help="a changed copy of training.toml")
    parser.add_argument("--without", action="append", default=[], metavar="LOSS", help="leave a loss out")
    parser.add_argument("--name", help="of the run's folder")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    for step, of, line in learn(asked.folder, settings=asked.settings, without=tuple(asked.without), name=asked.name):
        print(f"{step}/{of}  {line}", flush=True)


if __name__ == "__main__":
    main()
