"""German sentences of the composed coach. {topic} is a word of the person's own, in quotes."""

from coaching.domain.curated.menu import Mood, Move

REFLECTIONS: dict[Mood, tuple[str, ...]] = {
    Mood.GREETING: (
        "Hallo, schön, von dir zu lesen.",
        "Hallo, gut, dass du da bist.",
        "Hallo, schön, dass du dir einen Moment nimmst.",
    ),
    Mood.THANKS: (
        "Gern geschehen.",
        "Gern, und die Arbeit machst du.",
        "Danke, dass du das sagst.",
    ),
    Mood.ABOUT_ME: (
        "Ich bin ein Coaching-Programm, eine Maschine, die zuhört, fragt und behält, was du erzählst.",
        "Ich bin kein Mensch, sondern ein Programm, das dir hilft, kleine Schritte zu finden.",
    ),
    Mood.TIRED: (
        "Das klingt, als hättest du zuletzt viel Kraft verbraucht.",
        "So müde wirkt alles schwerer, als es ist.",
        "Deine Kraft scheint gerade knapp zu sein, und das ist ernst zu nehmen.",
    ),
    Mood.OVERWHELMED: (
        "Das ist viel auf einmal.",
        "Es klingt, als wollte gerade alles gleichzeitig etwas von dir.",
        "Bei so vielem ist es schwer zu wissen, wo man anfängt.",
    ),
    Mood.STUCK: (
        "Es klingt, als wüsstest du, wohin du willst, und etwas hält dich fest.",
        "Festzustecken ist zermürbend, erst recht, wenn man wirklich will.",
        "Der Wunsch ist also da, und der Anfang ist das Schwere.",
    ),
    Mood.WORRIED: (
        "Ich lese, dass dir das Sorgen macht.",
        "Es ist beunruhigend, nicht zu wissen, wie das ausgeht.",
        "Diese Sorge zeigt, dass dir hier etwas wichtig ist.",
    ),
    Mood.SAD: (
        "Das klingt traurig, und es ist gut, das zu sagen.",
        "Es tut mir leid, dass dich das drückt.",
        "Danke, dass du mir etwas erzählst, das wehtut.",
    ),
    Mood.ANGRY: (
        "Ich merke, wie sehr dich das ärgert.",
        "Hinter solchem Ärger steht oft etwas, das einem wichtig ist.",
        "Das würde jeden Geduld kosten.",
    ),
    Mood.LONELY: (
        "Damit allein zu sein ist schwer.",
        "Allein damit wirkt es doppelt so groß.",
        "Ich lese, dass dir dabei jemand an deiner Seite fehlt.",
    ),
    Mood.PROUD: (
        "Das ist wirklich geschafft, und zwar von dir.",
        "Darüber darfst du dich freuen.",
        "Es lohnt sich, das einen Moment lang zu genießen.",
    ),
    Mood.HOPEFUL: (
        "Da steckt gute Kraft in dem, was du schreibst.",
        "Es klingt, als käme etwas in Bewegung.",
        "Das klingt hoffnungsvoll, und darauf lässt sich bauen.",
    ),
    Mood.DETERMINED: (
        "Du hast dich entschieden, und das ist schon der halbe Anfang.",
        "Da höre ich einen klaren Wunsch.",
        "Das ist ein Ziel, das ganz dir gehört.",
    ),
    Mood.UNSURE: (
        "Du musst die Antwort noch nicht kennen.",
        "Es klingt, als gäbe es in dir mehrere Stimmen dazu.",
        "Unsicher zu sein kann ein guter Moment zum Hinsehen sein.",
    ),
    Mood.SHARING: (
        "Danke, dass du mir davon erzählst.",
        "Ich lese dich, und ich möchte es besser verstehen.",
        "Das beschäftigt dich heute offenbar.",
    ),
}

TOPICS: tuple[str, ...] = (
    "Du erwähnst {topic}, bleiben wir einen Moment dabei.",
    "Das Wort {topic} fällt mir auf in dem, was du schreibst.",
    "Schauen wir zuerst auf {topic}.",
)

MEMORIES: tuple[str, ...] = (
    "Früher hast du mir geschrieben: {quote}",
    "Ich weiß noch, dass du geschrieben hast: {quote}",
    "Einmal hast du gesagt: {quote}",
)

MOVES: dict[Move, tuple[str, ...]] = {
    Move.SMALLEST_STEP: (
        "Welcher kleinste Schritt ginge heute in zwei Minuten?",
        "Wenn du es zehnmal kleiner machst, was bleibt dann, das du einfach tun kannst?",
        "Welcher erste Handgriff ist so klein, dass er gar nicht misslingen kann?",
    ),
    Move.WHAT_HELPED: (
        "Wann ging so etwas schon einmal etwas besser, und was war da anders?",
        "Was hat dir in so einem Moment früher geholfen?",
        "Welche deiner Stärken hat dich durch Ähnliches getragen?",
    ),
    Move.WHAT_MATTERS: (
        "Was macht das für dich wichtig?",
        "Was wäre in deinem Alltag anders, wenn das gut ausgeht?",
        "Was möchtest du dabei vor allem schützen?",
    ),
    Move.OBSTACLE: (
        "Was kommt dir am häufigsten dazwischen?",
        "An welcher Stelle bleibt es meistens hängen?",
        "Was müsste aus dem Weg sein, damit es leicht wäre?",
    ),
    Move.SCALE: (
        "Von 0 bis 10, wo stehst du heute damit, und wie sähe ein Punkt mehr aus?",
        "Wenn 10 dein Wunsch ist, welche Zahl ist es jetzt, und warum keine kleinere?",
    ),
    Move.WHEN_AND_WHERE: (
        "Wann und wo an deinem Tag würde es am besten passen?",
        "Welcher Moment des morgigen Tages wäre dafür der leichteste?",
        "An welche Gewohnheit könntest du es einfach anhängen?",
    ),
    Move.SUPPORT: (
        "Wer könnte es dir ein wenig leichter machen?",
        "Wem würdest du gern davon erzählen?",
        "Welche Unterstützung täte dir jetzt gut?",
    ),
    Move.NAME_IT: (
        "Was ist daran gerade das Schwerste für dich?",
        "Wenn du dem Gefühl einen Namen gibst, welcher wäre das?",
        "Was soll ich daran verstehen?",
    ),
}
