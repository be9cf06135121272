"""Samples at 16 kHz and the catalog's microseconds."""

from models.speech.sound import HZ


def microseconds(samples: int) -> int:
    """When a sample is heard, to the microsecond before it: 62.5 µs a sample."""
    return samples * 1_000_000 // HZ


def sample(us: int) -> int:
    """The last sample that has begun at a moment."""
    return us * HZ // 1_000_000
