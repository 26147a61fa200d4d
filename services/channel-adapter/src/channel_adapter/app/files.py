"""Keep what people sent: fetch it, store it under its SHA-256, then name it by a row."""

import asyncio
import hashlib

from channel_adapter.app import metrics
from channel_adapter.app.channel import Connection
from channel_adapter.app.ports import FileRecords, FileStore, FileStoreError, RecordsUnavailableError
from channel_adapter.domain.delivery import ProviderError
from channel_adapter.domain.messages import FileRefusal, FileRefusedError, KeptFile, RemoteFile
from kit import log

# Files are held in memory while they are hashed, so few are fetched at once.
DOWNLOADS_AT_ONCE = 4
_log = log.get_logger("channel_adapter.files")


class KeepFiles:
    """A file that cannot be kept costs the file, never the message it came with."""

    def __init__(self, store: FileStore, records: FileRecords, limit_bytes: int, timeout_seconds: float) -> None:
        self._store = store
        self._records = records
        self._limit = limit_bytes
        self._timeout = timeout_seconds
        self._slots = asyncio.Semaphore(DOWNLOADS_AT_ONCE)

    async def keep(self, connection: Connection, file: RemoteFile) -> KeptFile:
        """Return the file as it is kept, or with the reason why it is not."""
        try:
            async with asyncio.timeout(self._timeout), self._slots:
                kept = await self._fetch_and_store(connection, file)
        except FileRefusedError as refusal:
            return self._refused(connection, file, refusal.reason)
        except FileStoreError as error:
            _log.warning("file_store_failed", channel=connection.channel, fault=error.fault)
            return self._refused(connection, file, FileRefusal.UNAVAILABLE)
        except (ProviderError, RecordsUnavailableError, TimeoutError) as error:
            _log.warning("file_not_kept", channel=connection.channel, exc_info=error)
            return self._refused(connection, file, FileRefusal.UNAVAILABLE)
        metrics.FILES.labels(connection.channel, "kept").inc()
        return kept

    async def _fetch_and_store(self, connection: Connection, file: RemoteFile) -> KeptFile:
        if connection.files is None:
            raise FileRefusedError(FileRefusal.UNAVAILABLE)
        if file.size_bytes > self._limit:
            raise FileRefusedError(FileRefusal.TOO_LARGE)
        content = await connection.files.download(file, self._limit)
        sha256 = hashlib.sha256(content).hexdigest()
        kept = KeptFile(kind=file.kind, media_type=file.media_type, size_bytes=len(content), sha256=sha256)
        # The content is there before anything names it; content that nothing names can be swept away.
        await self._store.put(connection.organization_id, sha256, content)
        await self._records.add(connection.organization_id, connection.channel, connection.account, kept)
        return kept

    @staticmethod
    def _refused(connection: Connection, file: RemoteFile, reason: FileRefusal) -> KeptFile:
        metrics.FILES.labels(connection.channel, reason.value).inc()
        return KeptFile(kind=file.kind, media_type=file.media_type, size_bytes=file.size_bytes, reason=reason)
