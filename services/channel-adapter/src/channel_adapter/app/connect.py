"""Keep an account ready: note it, check its credentials, have its updates pushed or fetched; never give up."""

import asyncio

from channel_adapter.app import metrics
from channel_adapter.app.channel import Connection
from channel_adapter.app.ports import Accounts, AccountTakenError, RecordsUnavailableError
from channel_adapter.domain.delivery import Problem, ProviderError
from kit import log
from kit.backoff import Backoff

# A wrong token does not heal by itself; the provider is not asked about it more often than this.
WRONG_CREDENTIALS_SECONDS = 300.0
_log = log.get_logger("channel_adapter.accounts")
HINTS = {
    Problem.CREDENTIALS_REFUSED: "the provider refuses the account's token: set the right one and start again",
    Problem.UNREACHABLE: "the provider cannot be reached: check the network and the API address",
    Problem.REJECTED: "the provider refuses the webhook address: PUBLIC_URL must be reachable from it by https",
}


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait, but not beyond the end of the process."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return


class AccountState:
    """Shows one account's state in the metrics and, when it changes, in the log."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._state = "starting"
        metrics.ACCOUNTS.labels(connection.channel, self._state).inc()

    def ready(self) -> None:
        """The account works."""
        if self._move("ready"):
            _log.info("account_ready", channel=self._connection.channel, account=self._connection.account)

    def failing(self, problem: str, hint: str) -> None:
        """The account does not work; the others are not touched."""
        moved = self._move("failing")
        note = _log.error if moved else _log.debug
        note("account_failing", channel=self._connection.channel, account=self._connection.account,
             problem=problem, hint=hint)  # fmt: skip

    def _move(self, state: str) -> bool:
        if state == self._state:
            return False
        metrics.ACCOUNTS.labels(self._connection.channel, self._state).dec()
        metrics.ACCOUNTS.labels(self._connection.channel, state).inc()
        self._state = state
        return True


class ConnectAccount:
    """Tries until it succeeds or the process ends."""

    def __init__(self, accounts: Accounts, stopping: asyncio.Event) -> None:
        self._accounts = accounts
        self._stopping = stopping

    async def __call__(self, connection: Connection, webhook_url: str | None, state: AccountState) -> bool:
        """Return True once the account is ready; False: the process ends, or the account is not ours to serve."""
        delays = Backoff(first=1, most=60).delays()
        while not self._stopping.is_set():
            try:
                await self._accounts.register(connection.organization_id, connection.channel, connection.account)
                if connection.connector is not None:
                    await connection.connector.connect(webhook_url)
            except AccountTakenError:
                state.failing("account_taken", "another organisation uses this account: give each its own")
                return False
            except RecordsUnavailableError:
                state.failing("database", "PostgreSQL does not answer")
                await pause(self._stopping, next(delays))
            except ProviderError as error:
                state.failing(error.problem.value, HINTS.get(error.problem, "tried again by itself"))
                refused = error.problem is Problem.CREDENTIALS_REFUSED
                await pause(self._stopping, WRONG_CREDENTIALS_SECONDS if refused else _wait(error, next(delays)))
            else:
                state.ready()
                return True
        return False


def _wait(error: ProviderError, delay: float) -> float:
    return max(error.retry_after_seconds, delay)
