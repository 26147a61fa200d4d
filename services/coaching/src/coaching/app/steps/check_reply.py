"""check_reply: a reply is exactly what was released; where that is nothing, or was cut off, it ends in honest words."""

from coaching.app.steps.generate import Spoken
from coaching.app.steps.identify import Who
from coaching.domain.prepared import prepared_for
from coaching.domain.sentences import Sentence, joined
from coaching.domain.turn import Failure, Reply, Source


async def check_reply(spoken: Spoken, who: Who) -> Reply:
    """Return the one message of this turn."""
    sentences = [*spoken.opening, *spoken.sentences]
    if not spoken.sentences:
        failure = spoken.failure or Failure.NOTHING_USABLE
        words = Sentence(prepared_for(failure, who.language), "\n\n")
        return Reply(joined([*sentences, words]), Source.TEMPLATE, failure, spoken.use)
    if spoken.failure is not None:
        sentences.append(Sentence(prepared_for(spoken.failure, who.language), " "))
    own = joined(list(spoken.sentences))
    return Reply(joined(sentences), Source.MODEL, spoken.failure, spoken.use, prompt_text=own)
