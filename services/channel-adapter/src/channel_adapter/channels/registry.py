"""Every channel there is. A new one is a folder beside this file and a line here."""

from typing import Any

from channel_adapter.app.channel import ChannelKind
from channel_adapter.channels.telegram.handler import KIND as TELEGRAM
from channel_adapter.channels.web.handler import KIND as WEB

# Each kind has settings of its own type; the service's settings are all of them together (settings.py).
CHANNELS: dict[str, ChannelKind[Any]] = {
    "telegram": TELEGRAM,
    "web": WEB,
}
