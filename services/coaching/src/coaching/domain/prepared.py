"""Texts that no model words: notices, answers to commands, crisis replies, and what is said when the model cannot."""

from enum import StrEnum

from coaching.domain.help_lines import help_lines
from coaching.domain.people import Language
from coaching.domain.turn import Failure


class Text(StrEnum):
    """Which prepared text."""

    NOTICE = "notice"
    STOPPED = "stopped"
    STARTED = "started"
    WELCOME = "welcome"
    STOPPED_SHORT = "stopped_short"
    STARTED_SHORT = "started_short"
    HELP = "help"
    CRISIS = "crisis"
    CRISIS_HOLD = "crisis_hold"
    ONLY_FILES = "only_files"
    NO_WORDS = "no_words"
    MODEL_AWAY = "model_away"
    MODEL_BUSY = "model_busy"
    MODEL_SLOW = "model_slow"
    NOTHING_USABLE = "nothing_usable"
    INTERRUPTED = "interrupted"
    SLOW_DOWN = "slow_down"


_ENGLISH: dict[Text, str] = {
    Text.NOTICE: (
        "Just so you know: I am a coaching program, a machine and not a person. "
        "Write STOP and I will not write first; write HELP to see what I can do."
    ),
    Text.STOPPED: (
        "Done: I will not write to you on my own any more, on any channel. "
        "You can still write to me whenever you like. START turns it on again."
    ),
    Text.STARTED: "Good to have you back. What would you like to work on?",
    Text.WELCOME: "Welcome! What would you like to change or to get done in the next days?",
    Text.STOPPED_SHORT: "Done: I will not write to you on my own any more. START turns it on again.",
    Text.STARTED_SHORT: "Done: START is noted. STOP turns it off again.",
    Text.HELP: (
        "I am a coaching program: tell me what you want to change, and we find small steps together. "
        "Write STOP and I will not write first, START to turn that on again. "
        "Ask “Why did you write to me?” and I tell you why I wrote first. "
        "I am no help in an emergency: call 112, or 911 in the US and Canada."
    ),
    Text.CRISIS: (
        "I am glad you told me, and I take it seriously. I am a machine, so I am not the right help for this, "
        "but people are there for you now.\n\n"
        "If you or someone else is in danger: call {emergency}.\n"
        "Somebody to talk to, day and night: {talk}.\n\n"
        "Is there a person near you whom you could call or sit with right now? "
        "I stop coaching until you write START."
    ),
    Text.CRISIS_HOLD: (
        "I have read your message. Coaching rests, because what you wrote before matters more than any goal. "
        "In danger: call {emergency}. To talk, day and night: {talk}. "
        "When you want to go on with coaching, write START."
    ),
    Text.ONLY_FILES: (
        "Thank you, I have kept the file, but I cannot look into it. What would you like to tell me about it?"
    ),
    Text.NO_WORDS: "Your message came, but I can see no words in it. What would you like to tell me?",
    Text.MODEL_AWAY: (
        "I have your message, but I cannot think clearly at the moment: a part of me is out of order. "
        "Please write again in a few minutes."
    ),
    Text.MODEL_BUSY: (
        "I have your message, but very many people are writing right now and I could not get to a good answer. "
        "Please write again in a few minutes."
    ),
    Text.MODEL_SLOW: (
        "I have your message, but this time I was too slow to come to a good answer. "
        "Please ask me again, perhaps in fewer words."
    ),
    Text.NOTHING_USABLE: "I did not find good words for that just now. Could you tell me a little more about it?",
    Text.INTERRUPTED: "(I was interrupted here. Please write to me again if you would like to go on.)",
    Text.SLOW_DOWN: "You are writing faster than I can follow. Give me a minute, then write to me again.",
}

_GERMAN: dict[Text, str] = {
    Text.NOTICE: (
        "Gut zu wissen: Ich bin ein Coaching-Programm, eine Maschine und kein Mensch. "
        "Mit STOP schreibe ich nicht mehr von selbst; mit HILFE siehst du, was ich kann."
    ),
    Text.STOPPED: (
        "Erledigt: Ich schreibe dir auf keinem Kanal mehr von selbst. "
        "Du kannst mir weiter schreiben, wann du willst. Mit START geht es wieder los."
    ),
    Text.STARTED: "Schön, dass du wieder da bist. Woran möchtest du arbeiten?",
    Text.WELCOME: "Willkommen! Was möchtest du in den nächsten Tagen verändern oder schaffen?",
    Text.STOPPED_SHORT: "Erledigt: Ich schreibe dir nicht mehr von selbst. Mit START geht es wieder los.",
    Text.STARTED_SHORT: "Erledigt: START ist vermerkt. Mit STOP schalte ich es wieder aus.",
    Text.HELP: (
        "Ich bin ein Coaching-Programm: Sag mir, was du verändern willst, und wir finden zusammen kleine Schritte. "
        "Mit STOP schreibe ich nicht mehr von selbst, mit START wieder. "
        "Frag „Warum hast du mir geschrieben?“, und ich nenne dir den Grund. "
        "Im Notfall kann ich nicht helfen: Ruf die 112 an."
    ),
    Text.CRISIS: (
        "Gut, dass du mir das sagst; ich nehme es ernst. Ich bin eine Maschine und dafür nicht die richtige Hilfe, "
        "aber es sind jetzt Menschen für dich da.\n\n"
        "Wenn du oder jemand anderes in Gefahr ist: Ruf {emergency} an.\n"
        "Jemand zum Reden, Tag und Nacht: {talk}.\n\n"
        "Gibt es einen Menschen in deiner Nähe, den du jetzt anrufen oder zu dem du dich setzen kannst? "
        "Ich höre mit dem Coaching auf, bis du START schreibst."
    ),
    Text.CRISIS_HOLD: (
        "Ich habe deine Nachricht gelesen. Das Coaching ruht, weil das, was du vorhin geschrieben hast, wichtiger ist "
        "als jedes Ziel. In Gefahr: Ruf {emergency} an. Zum Reden, Tag und Nacht: {talk}. "
        "Wenn du mit dem Coaching weitermachen willst, schreib START."
    ),
    Text.ONLY_FILES: (
        "Danke, ich habe die Datei aufgehoben, kann aber nicht hineinsehen. Was möchtest du mir dazu erzählen?"
    ),
    Text.NO_WORDS: "Deine Nachricht ist da, aber ich sehe keine Worte darin. Was möchtest du mir erzählen?",
    Text.MODEL_AWAY: (
        "Deine Nachricht ist da, aber ich kann gerade nicht klar denken: Ein Teil von mir ist ausgefallen. "
        "Bitte schreib mir in ein paar Minuten noch einmal."
    ),
    Text.MODEL_BUSY: (
        "Deine Nachricht ist da, aber gerade schreiben sehr viele Menschen, und ich kam zu keiner guten Antwort. "
        "Bitte schreib mir in ein paar Minuten noch einmal."
    ),
    Text.MODEL_SLOW: (
        "Deine Nachricht ist da, aber diesmal war ich zu langsam für eine gute Antwort. "
        "Bitte frag mich noch einmal, vielleicht mit weniger Worten."
    ),
    Text.NOTHING_USABLE: "Dafür habe ich gerade keine guten Worte gefunden. Magst du mir etwas mehr davon erzählen?",
    Text.INTERRUPTED: "(Hier wurde ich unterbrochen. Schreib mir gern noch einmal, wenn du weitermachen möchtest.)",
    Text.SLOW_DOWN: "Du schreibst schneller, als ich folgen kann. Gib mir eine Minute und schreib mir dann wieder.",
}

TEXTS: dict[Language, dict[Text, str]] = {Language.ENGLISH: _ENGLISH, Language.GERMAN: _GERMAN}

_BY_FAILURE: dict[Failure, Text] = {
    Failure.MODEL_UNAVAILABLE: Text.MODEL_AWAY,
    Failure.MODEL_BUSY: Text.MODEL_BUSY,
    Failure.MODEL_TIMEOUT: Text.MODEL_SLOW,
    Failure.MODEL_REFUSED: Text.NOTHING_USABLE,
    Failure.MODEL_INTERRUPTED: Text.INTERRUPTED,
    Failure.NOTHING_USABLE: Text.NOTHING_USABLE,
    Failure.RATE_LIMITED: Text.SLOW_DOWN,
    Failure.ATTEMPTS_EXHAUSTED: Text.MODEL_AWAY,
    Failure.NO_TEXT: Text.ONLY_FILES,
    Failure.NOTHING_SEEN: Text.NO_WORDS,
}


def prepared(text: Text, language: Language, locale: str = "") -> str:
    """Return a prepared text; the crisis texts name the help lines of the locale's country."""
    words = TEXTS[language][text]
    if text in (Text.CRISIS, Text.CRISIS_HOLD):
        lines = help_lines(locale, language)
        return words.format(emergency=lines.emergency, talk=lines.talk)
    return words


def prepared_for(failure: Failure, language: Language) -> str:
    """Return the short honest words for a turn that the model could not answer."""
    return prepared(_BY_FAILURE[failure], language)
