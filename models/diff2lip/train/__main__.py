"""Trains Diff2Lip where only models/ and a folder were brought: `python -m models.diff2lip.train FOLDER`."""

import argparse
from pathlib import Path
from typing import get_args

import cv2

from models.diff2lip.train import recipe
from models.diff2lip.train.learn import Variant, learn


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.diff2lip.train", description="Trains a Diff2Lip.")
    parser.add_argument("folder", type=Path, help="with clips/ of `dubline train prepare`")
    parser.add_argument("--variant", choices=get_args(Variant), default="starter")
    parser.add_argument("--settings", type=Path, default=recipe.SETTINGS, help="a changed copy of training.toml")
    parser.add_argument("--without", action="append", default=[], metavar="LOSS", help="leave a loss out")
    parser.add_argument("--name", help="of the run's folder")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    lines = learn(asked.folder, asked.variant, settings=asked.settings, without=tuple(asked.without), name=asked.name)
    for step, of, line in lines:
        print(f"{step}/{of}  {line}", flush=True)


if __name__ == "__main__":
    main()
