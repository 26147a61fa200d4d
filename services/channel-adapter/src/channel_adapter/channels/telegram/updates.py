"""Updates of Telegram in our words."""

from datetime import UTC, datetime

from channel_adapter.channels.telegram.payloads import (
    CallbackQuery,
    ChatMemberUpdated,
    Message,
    RemoteContent,
    Update,
    User,
)
from channel_adapter.domain.messages import Body, FileKind, Incoming, OptOut, Parsed, PersonText, RemoteFile

PRIVATE = "private"


def to_parsed(update: Update) -> Parsed:
    """Return the update's event, or the word for why it is left out."""
    if update.message is not None:
        return _message(update, update.message)
    if update.callback_query is not None:
        return _press(update, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(update, update.my_chat_member)
    # The coach has answered what was written first; an edit would be answered a second time.
    return Parsed(ignored=("edited" if update.edited_message is not None else "unknown_kind",))


def _message(update: Update, message: Message) -> Parsed:
    # What a person tells their coach is not for a group to read.
    if message.chat.type != PRIVATE or message.sender is None or message.sender.is_bot:
        return Parsed(ignored=("not_private",))
    files = _files(message)
    text = _clean(message.text or message.caption or "")
    if not text.strip() and not files:
        return Parsed(ignored=("no_text_or_file",))
    body = PersonText(text=text, files=files, locale=_locale(message.sender))
    return Parsed(events=(_event(update, message.sender, message.chat.id, body, message.date),))


def _press(update: Update, query: CallbackQuery) -> Parsed:
    """A button stands for the words in its data."""
    if query.message is None or query.message.chat.type != PRIVATE or not query.data.strip():
        return Parsed(ignored=("press",), presses=(query.id,))
    body = PersonText(text=_clean(query.data), locale=_locale(query.sender))
    return Parsed(events=(_event(update, query.sender, query.message.chat.id, body),), presses=(query.id,))


def _membership(update: Update, change: ChatMemberUpdated) -> Parsed:
    """Blocking the bot is an opt-out; letting it in again is not an opt-in: the person says so by writing."""
    if change.chat.type != PRIVATE or change.new_chat_member.status != "kicked":
        return Parsed(ignored=("membership",))
    return Parsed(events=(_event(update, change.sender, change.chat.id, OptOut("blocked"), change.date),))


def _event(update: Update, sender: User, chat_id: int, body: Body, seconds: int | None = None) -> Incoming:
    return Incoming(
        event_id=str(update.update_id),
        sender_id=str(sender.id),
        address=str(chat_id),
        order=update.update_id,
        body=body,
        sent_at=datetime.fromtimestamp(seconds, UTC) if seconds else None,
    )


def _files(message: Message) -> tuple[RemoteFile, ...]:
    if message.photo:
        # The same picture in several sizes, the largest last.
        return (_file(message.photo[-1], FileKind.PHOTO, "image/jpeg"),)
    if message.document is not None:
        return (_file(message.document, FileKind.DOCUMENT, "application/octet-stream"),)
    if message.voice is not None:
        return (_file(message.voice, FileKind.VOICE, "audio/ogg"),)
    return ()


def _file(content: RemoteContent, kind: FileKind, media_type: str) -> RemoteFile:
    return RemoteFile(content.file_id, kind, _clean(content.mime_type) or media_type, content.file_size)


def _locale(user: User) -> str:
    return _clean(user.language_code)


def _clean(text: str) -> str:
    return text.replace("\x00", "")  # PostgreSQL's text cannot hold it
