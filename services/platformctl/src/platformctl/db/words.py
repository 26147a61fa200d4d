"""PostgreSQL's errors as they may be logged and kept: its own words, without a value that a row holds."""

import re

import asyncpg

# SQLSTATE class 22: the text itself quotes what could not be read ("invalid input syntax for type uuid: "..."").
DATA_EXCEPTION = "22"
_QUOTED = re.compile(r'"[^"]*"')
_VALUE_AT_THE_END = re.compile(r': ".*$')


def said(error: BaseException) -> str:
    """The first line of the server's message. DETAIL, which names the row, HINT and CONTEXT stay out."""
    server = error if isinstance(error, asyncpg.PostgresError) else error.__cause__
    if not isinstance(server, asyncpg.PostgresError):
        return without_value(str(error))
    message = without_value(str(server.args[0]) if server.args else type(server).__name__)
    state = str(server.sqlstate or "")
    if state.startswith(DATA_EXCEPTION):
        message = _QUOTED.sub('"..."', message)
    return f"{message} (SQLSTATE {state})" if state else message


def without_value(text: str) -> str:
    """The first line of a message, cut before a quoted value that ends it; names in quotes stay."""
    return _VALUE_AT_THE_END.sub("", text.strip().partition("\n")[0])
