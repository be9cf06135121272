"""The prompts' file is read whole or refused, and the tool that makes it says what it lacks."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from models.omnisync.embed_prompts import LENGTH, WORDS, main, read
from models.omnisync.prompts import PROMPTS
from models.registry import BadCheckpoint


def test_every_prompt_has_words_and_only_the_empty_one_has_none() -> None:
    assert tuple(WORDS) == PROMPTS
    assert [prompt for prompt, words in WORDS.items() if not words] == [""]


def test_prompts_are_read_with_zeros_after_their_words(tmp_path: Path) -> None:
    said = {prompt: torch.randn(1 + n, 12).bfloat16() for n, prompt in enumerate(PROMPTS)}
    save_file(said, tmp_path / "prompts.safetensors")
    texts = read(tmp_path / "prompts.safetensors", 12)
    assert tuple(texts) == PROMPTS
    for prompt, text in texts.items():
        words = len(said[prompt])
        assert text.shape == (LENGTH, 12) and text.dtype == torch.float32
        assert torch.equal(text[:words], said[prompt].float()) and not text[words:].any()


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        pytest.param({"calm": torch.zeros(2, 8)}, r"'calm' is \(2, 8\)", id="another width"),
        pytest.param({"calm": torch.zeros(12)}, r"'calm' is \(12,\)", id="one token"),
        pytest.param({"": torch.zeros(0, 12)}, r"'' is \(0, 12\)", id="no token"),
        pytest.param({"lively": torch.zeros(LENGTH + 1, 12)}, "1 to 512 tokens of 12", id="too long"),
        pytest.param({"": None}, "lacks the prompts ''", id="no empty prompt"),
        pytest.param({"calm": None, "lively": None}, "lacks the prompts 'calm', 'lively'", id="two missing"),
    ],
)
def test_a_file_that_would_be_read_wrong_is_refused(
    tmp_path: Path, spoilt: dict[str, torch.Tensor | None], why: str
) -> None:
    good = {prompt: torch.zeros(3, 12) for prompt in PROMPTS}
    found = {prompt: text for prompt, text in (good | spoilt).items() if text is not None}
    save_file(found, tmp_path / "prompts.safetensors")
    with pytest.raises(BadCheckpoint, match=why):
        read(tmp_path / "prompts.safetensors", 12)


def test_the_tool_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "prompts.safetensors"
    monkeypatch.setattr(sys, "argv", ["embed_prompts", str(tmp_path / "umt5"), str(out)])
    monkeypatch.setitem(sys.modules, "transformers", None)  # as if it were not installed
    with pytest.raises(SystemExit, match="needs transformers, which this Python lacks"):
        main()
    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(AutoTokenizer=None, UMT5EncoderModel=None))
    with pytest.raises(SystemExit, match="no folder tokenizer"):
        main()
    assert not out.exists()
