"""Somebody who uses Telegram: writes, sends files, blocks the bot."""

import time
from itertools import count
from typing import Any

from fakes.telegram_bot import Bot, Json


class Person:
    """Somebody who uses Telegram."""

    def __init__(self, bot: Bot, chat_id: int, locale: str) -> None:
        self.bot = bot
        self.chat_id = chat_id
        self._locale = locale
        self._message_ids = count(1)
        bot.chats.add(chat_id)

    def _user(self) -> Json:
        return {"id": self.chat_id, "is_bot": False, "first_name": "Robin", "language_code": self._locale}

    def message(self, **content: Any) -> Json:
        """Return a message of this person, as the Bot API shows it."""
        chat = {"id": self.chat_id, "type": "private", "first_name": "Robin"}
        base = {"message_id": next(self._message_ids), "date": int(time.time()), "chat": chat, "from": self._user()}
        return base | content

    def say(self, text: str, copies: int = 1) -> int:
        """Write; returns the update's id."""
        return self.bot.add_update("message", self.message(text=text), copies)

    def edit(self, text: str) -> int:
        """Change an earlier message."""
        return self.bot.add_update("edited_message", self.message(text=text, edit_date=int(time.time())))

    def press(self, data: str) -> int:
        """Press a button under a message of the bot."""
        query = {"id": f"press-{data}", "from": self._user(), "chat_instance": "1", "data": data}
        return self.bot.add_update("callback_query", query | {"message": self.message(text="Choose")})

    def block(self) -> int:
        """Block the bot."""
        self.bot.blocked.add(self.chat_id)
        return self._membership("kicked", "member")

    def unblock(self) -> int:
        """Let the bot in again."""
        self.bot.blocked.discard(self.chat_id)
        return self._membership("member", "kicked")

    def _membership(self, new: str, old: str) -> int:
        bot = {"id": self.bot.id, "is_bot": True, "first_name": "Fake"}
        change = self.message() | {
            "old_chat_member": {"user": bot, "status": old},
            "new_chat_member": {"user": bot, "status": new},
        }
        return self.bot.add_update("my_chat_member", change)

    def send_photo(self, content: bytes, caption: str | None = None) -> int:
        """Send a picture; Telegram offers it in several sizes."""
        small = self._file("photos", content[: max(1, len(content) // 4)])
        large = self._file("photos", content)
        return self._with_caption(caption, photo=[small, large])

    def send_document(self, content: bytes, media_type: str, caption: str | None = None) -> int:
        """Send a document."""
        return self._with_caption(caption, document=self._file("documents", content) | {"mime_type": media_type})

    def send_voice(self, content: bytes) -> int:
        """Send a voice note."""
        return self._with_caption(None, voice=self._file("voice", content) | {"mime_type": "audio/ogg"})

    def _with_caption(self, caption: str | None, **content: Any) -> int:
        return self.bot.add_update("message", self.message(**content, **({"caption": caption} if caption else {})))

    def _file(self, folder: str, content: bytes) -> Json:
        number = len(self.bot.files) + 1
        file_id = f"file-{number}"
        self.bot.files[file_id] = (f"{folder}/file_{number}.bin", content)
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": len(content)}

    async def hears(self, number: int = 1, seconds: float = 60.0) -> list[str]:
        """Wait for so many messages of the bot, and return their texts."""
        return [one.text for one in await self.bot.wait_for_sent(number, self.chat_id, seconds)]
