"""The fixed prompts as the network of the paper reads them: umT5's states, computed once, so that eleven gigabytes of
text encoder are not loaded to draw.

    python -m models.omnisync.embed_prompts UMT5_FOLDER OUT

UMT5_FOLDER is Wan's, as diffusers lays it out: `text_encoder` and `tokenizer` in it. This alone needs transformers,
which Dubline does not install. OUT is a safetensors file: prompt → (L, 4096).
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from models.omnisync.prompts import PROMPTS
from models.registry import BadCheckpoint
from models.registry import read as tensors_of

WIDTH: Final = 4096
LENGTH: Final = 512  # tokens; Wan was taught with zeros up to there, and attends to them
WORDS: Final = {
    "": "",
    "calm": "A person speaks calmly, with small and gentle movements of the lips.",
    "lively": "A person speaks lively, with large and energetic movements of the mouth.",
    "clear teeth": "A person speaks with clear facial and tooth movements; the teeth are sharp and well defined.",
}


def read(path: Path, width: int = WIDTH) -> dict[str, Tensor]:
    """(512, width) float32 for every prompt, zeros after its words.

    raises   BadCheckpoint if a prompt is missing or its shape is another, OSError
    """
    found = tensors_of(path)
    if missing := [prompt for prompt in PROMPTS if prompt not in found]:
        raise BadCheckpoint(f"{path} lacks the prompts {', '.join(map(repr, missing))}; embed_prompts makes them all")
    for prompt in PROMPTS:
        shape = tuple(found[prompt].shape)
        if len(shape) != 2 or shape[1] != width or not 1 <= shape[0] <= LENGTH:
            raise BadCheckpoint(f"{path}: {prompt!r} is {shape}; wanted 1 to {LENGTH} tokens of {width}")
    return {prompt: F.pad(found[prompt].float(), (0, 0, 0, LENGTH - len(found[prompt]))) for prompt in PROMPTS}


def embed(folder: Path) -> dict[str, Tensor]:
    """(L, D) umT5 states for every prompt; the last is that of the end sign, which the empty prompt has alone.

    raises   ModuleNotFoundError without transformers, OSError if the folder holds no umT5
    """
    from transformers import AutoTokenizer, UMT5EncoderModel

    for part in ("tokenizer", "text_encoder"):
        if not (folder / part).is_dir():
            raise FileNotFoundError(f"{folder} has no folder {part}; it should be Wan's, as diffusers lays it out")
    tokenizer: Any = AutoTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    model: Any = UMT5EncoderModel.from_pretrained(
        folder / "text_encoder", local_files_only=True, use_safetensors=True, dtype="auto"
    )
    said = {}
    for prompt, words in WORDS.items():
        read = tokenizer(words, max_length=LENGTH, truncation=True, add_special_tokens=True, return_tensors="pt")
        with torch.inference_mode():
            said[prompt] = model.eval()(read.input_ids, read.attention_mask).last_hidden_state[0].clone()
    return said


def main() -> None:
    """Writes OUT, or says why not."""
    parser = argparse.ArgumentParser(description="The fixed prompts as umT5 says them.")
    parser.add_argument("umt5_folder", type=Path, help="with `text_encoder` and `tokenizer` in it")
    parser.add_argument("out", type=Path, help="prompts.safetensors")
    asked = parser.parse_args()
    try:
        said = embed(asked.umt5_folder)
    except ModuleNotFoundError as error:
        sys.exit(f"This needs {error.name}, which this Python lacks: `pip install {error.name}`.")
    except OSError as error:
        sys.exit(f"There is no umT5 to be read: {error}.")
    part = asked.out.with_suffix(".part")
    save_file(said, part)
    part.rename(asked.out)
    print(f"wrote {asked.out}: " + ", ".join(f"{prompt!r} {tuple(state.shape)}" for prompt, state in said.items()))


if __name__ == "__main__":
    main()
