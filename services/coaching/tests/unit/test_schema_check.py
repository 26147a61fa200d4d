"""A database of another release is told by name, until its statements work again."""

import pytest

from coaching.adapters.schema_check import REMEMBER_SECONDS, SchemaCheck, SchemaMismatchError


@pytest.mark.parametrize("state", ["42703", "42501", "42P01", "3F000"])
async def test_a_statement_that_does_not_fit_is_red_until_that_statement_works(state: str) -> None:
    schema = SchemaCheck()
    await schema.check()
    schema.failed("SELECT missing", state)
    schema.worked("SELECT 1")
    with pytest.raises(SchemaMismatchError, match=state):
        await schema.check()
    schema.worked("SELECT missing")
    await schema.check()


@pytest.mark.parametrize("state", ["", "08006", "23505", "57P01", "40001"])
async def test_what_waiting_or_other_data_mends_is_no_mismatch(state: str) -> None:
    schema = SchemaCheck()
    schema.failed("SELECT 1", state)
    await schema.check()


async def test_a_statement_that_is_not_tried_again_is_forgotten() -> None:
    now = 100.0
    schema = SchemaCheck(lambda: now)
    schema.failed("SELECT missing", "42703")
    now += REMEMBER_SECONDS + 1
    await schema.check()
