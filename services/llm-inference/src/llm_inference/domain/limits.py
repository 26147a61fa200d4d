"""The most that one request may hold, checked before it may wait for a model."""

from dataclasses import dataclass

from llm_inference.domain.completion import Completion
from llm_inference.domain.errors import InvalidRequestError

# A token is at least one character of text in every tokenizer met so far, mostly three to four.
CHARACTERS_PER_TOKEN = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes of one request; characters are those of str."""

    context_tokens: int
    messages: int = 400
    stops: int = 8
    stop_characters: int = 64
    cache_key_characters: int = 200
    temperature: float = 2.0

    def check(self, request: Completion) -> None:
        """Raise InvalidRequestError, naming the limit, when the request is over one of them."""
        characters = sum(len(message.text) for message in request.messages)
        rules = (
            (0 < len(request.messages) <= self.messages, f"give 1 to {self.messages} messages"),
            (characters > 0, "the messages are empty"),
            (
                characters <= self.context_tokens * CHARACTERS_PER_TOKEN,
                f"the messages are too long for a context of {self.context_tokens} tokens: shorten the history",
            ),
            (0 < request.max_tokens < self.context_tokens, f"max_tokens must be 1 to {self.context_tokens - 1}"),
            (0 <= request.temperature <= self.temperature, f"temperature must be 0 to {self.temperature:g}"),
            (len(request.stop) <= self.stops, f"give at most {self.stops} stop texts"),
            (
                all(0 < len(text) <= self.stop_characters for text in request.stop),
                f"a stop text has 1 to {self.stop_characters} characters",
            ),
            (
                len(request.cache_key) <= self.cache_key_characters,
                f"cache_key has at most {self.cache_key_characters} characters",
            ),
        )
        for holds, text in rules:
            if not holds:
                raise InvalidRequestError(text)
