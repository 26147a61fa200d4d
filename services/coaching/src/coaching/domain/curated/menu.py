"""What a small model may choose from, narrowed by what the person wrote."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from coaching.domain.people import Language


class Mood(StrEnum):
    """What a reply begins by saying back."""

    GREETING = "greeting"
    THANKS = "thanks"
    ABOUT_ME = "about_me"
    TIRED = "tired"
    OVERWHELMED = "overwhelmed"
    STUCK = "stuck"
    WORRIED = "worried"
    SAD = "sad"
    ANGRY = "angry"
    LONELY = "lonely"
    PROUD = "proud"
    HOPEFUL = "hopeful"
    DETERMINED = "determined"
    UNSURE = "unsure"
    SHARING = "sharing"


class Move(StrEnum):
    """What a reply asks or offers then."""

    SMALLEST_STEP = "smallest_step"
    WHAT_HELPED = "what_helped"
    WHAT_MATTERS = "what_matters"
    OBSTACLE = "obstacle"
    SCALE = "scale"
    WHEN_AND_WHERE = "when_and_where"
    SUPPORT = "support"
    NAME_IT = "name_it"


# Where one of these matches, the model chooses among what matched: it is not asked to guess against plain words.
HINTS: dict[Mood, str] = {
    Mood.TIRED: r"\b(?:tired|exhausted|no energy|sleep\w*|worn out|müde|erschöpft|schlaf\w*|keine kraft|kaputt)",
    Mood.OVERWHELMED: r"\b(?:overwhelm\w*|too much|stress\w*|burn\w* out|überforder\w*|zu viel|gestresst)",
    Mood.STUCK: (
        r"\b(?:stuck|can'?t get|procrastinat\w*|keep putting|never manage|stecke? fest|aufschieb\w*|komme nicht)"
    ),
    Mood.WORRIED: r"\b(?:worr\w+|anxious|anxiety|afraid|nervous|scared|sorge\w*|angst|nervös|fürchte)",
    Mood.SAD: r"\b(?:sad|down|cry\w*|miss (?:him|her|them|my)|disappoint\w*|traurig|weine|enttäuscht|vermisse)",
    Mood.ANGRY: r"\b(?:angry|furious|annoy\w*|fed up|hate|wütend|sauer|nervt|genervt|ärger\w*)",
    Mood.LONELY: r"\b(?:lonely|alone|nobody|no one|einsam|allein\w*|niemand\w*)",
    Mood.PROUD: r"\b(?:proud|managed|did it|achiev\w*|finished|success\w*|stolz|geschafft|gelungen|erfolg\w*)",
    Mood.HOPEFUL: r"\b(?:hope\w*|looking forward|excited|better|hoff\w*|freue mich|besser)",
    Mood.DETERMINED: r"\b(?:i want to|i will|my goal|i'm going to|i plan|ich will|ich möchte|mein ziel|ich habe vor)",
    Mood.UNSURE: r"\b(?:not sure|don'?t know|maybe|should i|unsure|weiß nicht|vielleicht|soll ich|unsicher)",
}
_HINTS = {mood: re.compile(pattern, re.IGNORECASE) for mood, pattern in HINTS.items()}
_WHOLE = {
    Mood.GREETING: re.compile(
        r"(?:hi|hello|hey|good (?:morning|evening|afternoon)|hallo|servus|moin|guten (?:morgen|tag|abend)|grüß \w+)"
        r"(?: (?:there|coach|you|du|again|zusammen))?",
        re.IGNORECASE,
    ),
    Mood.THANKS: re.compile(
        r"(?:many |vielen |herzlichen )?(?:thanks|thank you|danke?|thx)(?: (?:a lot|so much|schön|dir|coach|you))?",
        re.IGNORECASE,
    ),
    Mood.ABOUT_ME: re.compile(
        r"(?:who|what) are you|are you (?:a )?(?:human|real|machine|robot|bot)|wer bist du|was bist du"
        r"|bist du (?:ein )?(?:mensch|maschine|roboter|bot|echt)",
        re.IGNORECASE,
    ),
}
_ASKS_MEMORY = re.compile(
    r"\b(?:remember|did i (?:say|tell|mention)|(?:what|who|where|which) .*\bi (?:said|told|mentioned)"
    r"|what do you know about me|what(?:'s| is| was) my|erinnerst du|weißt du noch|habe ich .*(?:gesagt|erzählt)"
    r"|was weißt du über mich|wie heiß\w* (?:mein|ich))",
    re.IGNORECASE,
)  # fmt: skip
_STOP_WORDS = frozenset(
    "about after again also always because been before being could does doing done down each even every feel feeling "
    "from going good have having here into just know like little long made make many maybe more most much need never "
    "nothing okay only other over please quite really right said same should since some something still such take than "
    "that them then there these they thing things think this those time today tomorrow very want wanted week well went "
    "were what when where which while will with without would yesterday your keep keeps cannot tired today "
    "aber alle alles also andere auch auf aus bald beim bereits bin bist dann dass dein deine dich doch durch eben "
    "eigentlich eine einem einen einer eines einfach etwas euch für ganz gehen gerade gerne habe haben hallo hast "
    "hatte heute hier ihre immer jetzt kann kein keine können könnte machen mehr mein meine meinem meinen meiner mich "
    "möchte morgen muss nach nicht nichts noch nur oder schon sehr sein seine seit sich sind soll sollte über und uns "
    "unter viel vielleicht vom von vor wann warum was weil weiß wenn werde werden wieder will wird wirklich wollen "
    "würde zum zur zwischen gestern woche".split()
)  # fmt: skip
_ADDRESSES = re.compile(r"\S*(?:://|@|www\.)\S*")
MAX_TOPICS = 6
NO_TOPIC = "none"


@dataclass(frozen=True, slots=True)
class Menu:
    """The choices offered for one message."""

    language: Language
    moods: tuple[Mood, ...]
    moves: tuple[Move, ...]
    topics: tuple[str, ...]
    asks_memory: bool = False

    def schema(self) -> dict[str, object]:
        """Return the JSON schema that a choice must satisfy."""
        return {
            "type": "object",
            "properties": {
                "mood": {"type": "string", "enum": [mood.value for mood in self.moods]},
                "topic": {"type": "string", "enum": [*self.topics, NO_TOPIC]},
                "move": {"type": "string", "enum": [move.value for move in self.moves]},
            },
            "required": ["mood", "topic", "move"],
            "additionalProperties": False,
        }


def menu_for(text: str, language: Language) -> Menu:
    """Return what may be chosen for `text`: plain words narrow the moods, its own words are the topics."""
    bare = text.strip().strip(".!?,;: ")
    for mood, pattern in _WHOLE.items():
        found = pattern.search(bare) if mood is Mood.ABOUT_ME else pattern.fullmatch(bare)
        if found:
            return Menu(language, (mood,), tuple(Move), ())
    matched = tuple(mood for mood, pattern in _HINTS.items() if pattern.search(text))
    return Menu(language, matched or (Mood.SHARING, Mood.UNSURE), tuple(Move), topics_in(text), asks_memory(text))


def asks_memory(text: str) -> bool:
    """Tell whether the person asks what they said before."""
    return _ASKS_MEMORY.search(text) is not None


def topics_in(text: str) -> tuple[str, ...]:
    """Return words of the person's own that a reply may name: longer ones first, never a number or an address."""
    words: Sequence[str] = re.findall(r"(?<!\w)[^\W\d_]{4,24}(?!\w)", _ADDRESSES.sub(" ", text))
    unique = dict.fromkeys(word for word in words if word.casefold() not in _STOP_WORDS | {NO_TOPIC})
    return tuple(sorted(unique, key=len, reverse=True)[:MAX_TOPICS])


_GERMAN_WORDS = re.compile(
    r"\b(?:ich|und|nicht|mich|mir|ist|das|der|ein|eine|habe|auch|wie|heute|hallo|danke|du|zu|guten|dass|aber)\b|[äöüß]",
    re.IGNORECASE,
)


def language_of_text(text: str, fallback: Language) -> Language:
    """Return German where the words are plainly German, English where they plainly are not, else the fallback."""
    words = len(re.findall(r"\w+", text))
    german = len(_GERMAN_WORDS.findall(text))
    if german >= 2 or (german and words <= 3):
        return Language.GERMAN
    return Language.ENGLISH if words >= 4 else fallback
