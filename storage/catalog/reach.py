"""What a database's complaint means: it is not there for a moment, it will not have us, or we asked nonsense."""

import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from storage.errors import DublineError, Missing, Unreachable

# PostgreSQL, appendix A: connection exceptions, too few resources, the server stops or starts, rollbacks that ask to
# be tried again, a lock or a transaction that took too long.
PASSING: Final = ("08", "53", "57P", "40001", "40P01", "55P03", "25P03")
# libpq hands over no code where a connection fails, only the server's words. Words of another language are taken for
# a passing trouble, and trying again does no harm.
REJECTED: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry", "no password supplied")
SQLITE_PASSING: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL}


def in_words(error: DBAPIError, url: URL) -> DublineError | None:
    """Missing or Unreachable in an operator's words, without the password; None if it is neither."""
    where = f"The catalog {url.render_as_string(hide_password=True)}"
    said = " ".join(str(error.orig).split())
    do = "`dubline doctor` looks at it; DUBLINE_CATALOG and DUBLINE_HOME say where it is."
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(error.orig, where, url)
    code = str(getattr(error.orig, "sqlstate", None) or "")
    if code.startswith("53100"):
        return Unreachable(f"{where} has no room left on its disk: {said}. Make room there, then start again.")
    if error.connection_invalidated or code.startswith(PASSING):
        return Unreachable(f"{where} broke off: {said}. Another try helps once it is back. {do}")
    if isinstance(error, OperationalError) and not code:  # no connection was made
        if any(words in said for words in REJECTED):
            return Missing(f"{where} does not let this machine in: {said}. {do}")
        return Unreachable(f"{where} does not answer: {said}. Another try helps once it is back. {do}")
    return None


def _of_sqlite(error: sqlite3.Error, where: str, url: URL) -> DublineError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind
    if code == sqlite3.SQLITE_FULL:
        folder = Path(url.database or ".").parent
        return Unreachable(f"There is no room left in {folder} for the catalog. Make room, then start again.")
    if code in SQLITE_PASSING:
        return Unreachable(f"{where} is busy or its disk is not there: {error}. Another try may find it free.")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return Missing(f"{where} cannot be used: {error}. DUBLINE_CATALOG and DUBLINE_HOME say where it is.")
    return None
