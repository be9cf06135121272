"""Import torchaudio where torch has no CUDA.

PyPI's torchaudio 2.11 links CUDA libraries, so on CPU builds of torch its import ends in OSError, and pyannote's with
it. All that Dubline needs of torchaudio is written in Python; only the compiled part must be told to stay away.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn


def ensure_torchaudio() -> bool:
    """Make `import torchaudio` work from here on. True: the compiled part is in; False: Python alone.

    raises  ModuleNotFoundError if torchaudio is not installed at all
    """
    try:
        whole = importlib.import_module("torchaudio")
        return bool(getattr(whole._extension, "_IS_TORCHAUDIO_EXT_AVAILABLE", False))
    except ModuleNotFoundError:
        raise
    except (OSError, RuntimeError, ImportError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]  # half imported; must be asked for anew
    sys.modules["torchaudio._extension"] = stand_in()
    setattr(importlib.import_module("torchaudio"), "_extension", sys.modules["torchaudio._extension"])  # noqa: B010
    return False


def stand_in() -> ModuleType:
    """What torchaudio 2.11 looks for in its `_extension`, with nothing compiled behind it."""
    module = ModuleType("torchaudio._extension")

    def refuse(function: Callable[..., Any]) -> Callable[..., NoReturn]:
        def refused(*_: object, **__: object) -> NoReturn:
            raise RuntimeError(f"torchaudio's {function.__name__} is compiled code, which this torch cannot load")

        return refused

    names: dict[str, Any] = {
        "_IS_TORCHAUDIO_EXT_AVAILABLE": False,
        "_IS_ALIGN_AVAILABLE": False,
        "_check_cuda_version": lambda: None,
        "fail_if_no_align": refuse,
    }
    module.__dict__.update(names)
    return module
