"""Every way in which a platform may refuse to start; each says why and what to do."""

from kit.settings import SettingsError
from platformctl.db.errors import DatabaseError
from platformctl.models.errors import ModelError
from platformctl.parts.base import PartError
from platformctl.ports import PortTakenError
from platformctl.streams.operations import StreamError
from platformctl.supervisor.keeper import CannotStartError
from platformctl.up.datadir import DataError
from platformctl.up.preflight import PreflightError

REFUSALS = (
    CannotStartError,
    DataError,
    DatabaseError,
    ModelError,
    PartError,
    PortTakenError,
    PreflightError,
    SettingsError,
    StreamError,
)
