"""Public weights of Wan 2.1 into the network, as diffusers or as Wan's own repository lays them out.

Promises: nothing in a file is run; the inherited part is filled whole or not at all; what was added stays as it is, so
a network just built then says what Wan says.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from torch import Tensor

from models.omnisync.network import OmniSync, inherited
from models.registry import BadCheckpoint, read

INDEX: Final = "*.safetensors.index.json"

# Wan's own names, longest first where one holds another. Its blocks count their norms in another order: norm3 stands
# before the text, norm2 before the feed-forward and has no weights.
_OWN: Final = (
    ("time_embedding.0.", "condition_embedder.time_embedder.linear_1."),
    ("time_embedding.2.", "condition_embedder.time_embedder.linear_2."),
    ("text_embedding.0.", "condition_embedder.text_embedder.linear_1."),
    ("text_embedding.2.", "condition_embedder.text_embedder.linear_2."),
    ("time_projection.1.", "condition_embedder.time_proj."),
    ("head.modulation", "scale_shift_table"),
    ("head.head.", "proj_out."),
    (".modulation", ".scale_shift_table"),
    (".self_attn.", ".attn1."),
    (".cross_attn.", ".attn2."),
    (".q.", ".to_q."),
    (".k.", ".to_k."),
    (".v.", ".to_v."),
    (".o.", ".to_out.0."),
    (".ffn.0.", ".ffn.net.0.proj."),
    (".ffn.2.", ".ffn.net.2."),
    (".norm3.", ".norm2."),
)


def load_wan(network: OmniSync, path: Path) -> None:
    """Fills what the network has from Wan.

    path     a safetensors file; the index of several, or the folder they lie in; or a PyTorch file of tensors alone
    raises   BadCheckpoint naming the first tensors that differ; OSError where there is no file
    """
    found = {renamed(key): value for key, value in shards(path).items()}
    own = network.state_dict()
    wanted = {key: tuple(value.shape) for key, value in own.items() if inherited(key)}
    given = {key: tuple(value.shape) for key, value in found.items()}
    wrong = [f"{key}: wanted {wanted.get(key, 'nothing')}, found {given.get(key, 'nothing')}"
             for key in wanted | given if wanted.get(key) != given.get(key)]  # fmt: skip
    if wrong:
        raise BadCheckpoint(f"{path} is not Wan of this size: {len(wrong)} tensors differ: {'; '.join(wrong[:3])}")
    network.load_state_dict({key: value.to(own[key].dtype) for key, value in found.items()}, strict=False, assign=True)


def renamed(key: str) -> str:
    """Its name as diffusers has it, which is also what it is if it has that name already."""
    for own, name in _OWN:
        key = key.replace(own, name)
    return key


def shards(path: Path) -> Mapping[str, Tensor]:
    """All tensors of a file, or of the files an index names; nothing in them is run."""
    if path.is_dir():
        there = sorted(path.glob(INDEX)) or sorted(path.glob("*.safetensors"))
        if len(there) != 1:
            raise FileNotFoundError(
                f"{path} has {len(there)} files that could be weights; one *.safetensors, or an index"
            )
        path = there[0]
    if path.suffix != ".json":
        return read(path)
    try:
        names = sorted(set(json.loads(path.read_text("utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadCheckpoint(f"{path} is no index of weights") from error
    if outside := [name for name in names if not isinstance(name, str) or Path(name).name != name]:
        raise BadCheckpoint(f"{path} points out of its folder, to {outside[0]}")
    return {key: value for name in names for key, value in read(path.parent / name).items()}
