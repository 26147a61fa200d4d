"""A database that is not of this release: /ready says so, and says when it is again."""

import httpx

from support.coaching import Stage, eventually
from support.ports import free_port


async def test_a_missing_column_is_named_by_readiness_until_it_is_there(around: Stage) -> None:
    port = free_port()

    async def answers(code: int) -> dict[str, str] | None:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{port}/ready")
        return dict(answer.json()["checks"]) if answer.status_code == code else None

    async with around.coaching(http_port=port), around.database.connect() as owner:
        assert (await eventually(lambda: answers(200)))["schema"] == "ok"
        await owner.execute("ALTER TABLE coaching.conversations RENAME COLUMN lease_owner TO lease_owner_away")
        checks = await eventually(lambda: answers(503))
        await owner.execute("ALTER TABLE coaching.conversations RENAME COLUMN lease_owner_away TO lease_owner")
        assert (await eventually(lambda: answers(200)))["schema"] == "ok"
    assert checks["schema"] == "SchemaMismatchError"
    assert checks["postgres"] == "ok"
