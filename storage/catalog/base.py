"""The ground the tables stand on: rows are typed dataclasses, passed about detached, and load nothing behind your back.

Times are integer microseconds since 1970 (UTC) or since the film's first frame; frames are integers; rates are two
integers. Nothing temporal is a float. Statuses are stored by name.
"""

import time
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Double, Enum, Integer, MetaData
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass

BigInt = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in INTEGER keys


class Base(MappedAsDataclass, DeclarativeBase):
    """A row is the value. Two rows are the same row only if they are the same object."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {dict[str, Any]: JSON, list[Any]: JSON, float: Double}


def named(kind: type[StrEnum]) -> Enum:
    """A column type that stores the enum's values as text, the same on SQLite and PostgreSQL."""
    return Enum(kind, native_enum=False, length=24, values_callable=lambda members: [m.value for m in members])


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
