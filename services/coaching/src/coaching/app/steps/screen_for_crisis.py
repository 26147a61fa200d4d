"""screen_for_crisis: danger is answered by people's words and help lines, never by a model."""

from coaching.app.steps.identify import Who
from coaching.domain.crisis import screen
from coaching.domain.people import Language
from coaching.domain.prepared import Text, prepared
from coaching.domain.turn import Pending, Reply, Source


async def screen_for_crisis(messages: tuple[Pending, ...], who: Who) -> Reply | None:
    """Return the prepared crisis reply where a message, or all of them read as one, means danger."""
    texts = [message.text for message in messages]
    for text in dict.fromkeys((*texts, " ".join(texts))):
        found = screen(text)
        if found is not None:
            # English phrases are written by people of many languages: only a German phrase tells the language.
            language = found if found is not Language.ENGLISH else who.language
            return Reply(prepared(Text.CRISIS, language, who.person.locale), Source.CRISIS)
    return None
