"""The part of the Bot API's updates that is read (core.telegram.org/bots/api#update); the rest is left alone."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

MOST = 2**63 - 1
# The end of the year 9999, the last that a protobuf timestamp holds.
LAST_SECOND = 253_402_300_799

Whole = Annotated[int, Field(strict=True, ge=-MOST, le=MOST)]
Count = Annotated[int, Field(strict=True, ge=0, le=MOST)]
Seconds = Annotated[int, Field(strict=True, ge=0, le=LAST_SECOND)]
Word = Annotated[str, Field(min_length=1, max_length=512)]


class Part(BaseModel):
    """Fields that are not named are ignored: Telegram adds some with every version."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class User(Part):
    """Who wrote."""

    id: Whole
    is_bot: bool = False
    language_code: Annotated[str, Field(max_length=64)] = ""


class Chat(Part):
    """Where it was written."""

    id: Whole
    type: Word


class RemoteContent(Part):
    """A photo size, a document or a voice note."""

    file_id: Word
    file_size: Count = 0
    mime_type: Annotated[str, Field(max_length=255)] = ""


class Message(Part):
    """What a person wrote."""

    message_id: Whole
    date: Seconds
    chat: Chat
    sender: User | None = Field(None, alias="from")
    text: str | None = None
    caption: str | None = None
    photo: list[RemoteContent] = []
    document: RemoteContent | None = None
    voice: RemoteContent | None = None


class PressedMessage(Part):
    """The message under which a button was pressed; of an old one only the chat is left."""

    chat: Chat


class CallbackQuery(Part):
    """A pressed button."""

    id: Word
    sender: User = Field(alias="from")
    message: PressedMessage | None = None
    data: Annotated[str, Field(max_length=64)] = ""


class ChatMember(Part):
    """What the bot now is in a chat."""

    status: Word


class ChatMemberUpdated(Part):
    """The bot was blocked, or let in again."""

    date: Seconds
    chat: Chat
    sender: User = Field(alias="from")
    new_chat_member: ChatMember


class Update(Part):
    """One update; at most one of its kinds is there."""

    update_id: Count
    message: Message | None = None
    callback_query: CallbackQuery | None = None
    my_chat_member: ChatMemberUpdated | None = None
    edited_message: Any = None


class ResponseParameters(Part):
    """What a refusal tells beside its text."""

    retry_after: Count = 0
    migrate_to_chat_id: Whole | None = None


class Response(Part):
    """The envelope of every answer of the Bot API."""

    ok: bool
    result: Any = None
    error_code: int = 0
    description: str = ""
    parameters: ResponseParameters = ResponseParameters()
