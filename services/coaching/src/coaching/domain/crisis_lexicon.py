"""Phrases that mean danger, as regular expressions over normalised text (see crisis.normalised).

Small on purpose, and meant to grow. It is read by people who answer for safety: one phrase a line. A phrase that is a
negation itself ("do not want to live") is CERTAIN: nothing before it can turn it round. Doubt leans towards help.
"""

from coaching.domain.people import Language

# Up to n words of any kind between two others; never across the mark of a clause.
GAP2 = r"(?:[a-z]+ ){0,2}"
GAP3 = r"(?:[a-z]+ ){0,3}"
GAP4 = r"(?:[a-z]+ ){0,4}"
HIGH_PLACE = r"(?:vom|von (?:der|einer|einem)|aus dem) (?:dach|brucke|hochhaus|balkon|fenster)"

NEGATABLE: dict[Language, tuple[str, ...]] = {
    Language.ENGLISH: (
        r"kill(?:ing)? (?:myself|my self)",
        r"kms",
        r"kill(?:s|ed|ing)? (?:himself|herself|themsel(?:f|ves))(?! laughing)",
        r"(?:take|takes|taking|took|taken|end|ends|ending|ended) (?:his|her|their) (?:own )?li(?:fe|ves)"
        r"(?! (?:easy|easily|seriously|insurance|coach|coaching|slowly|in))",
        r"(?:want|wanted|wants|rather) (?:to )?be dead",
        r"(?:take|taking|end|ending) my (?:own )?life",
        r"(?:end|ending) it all",
        r"suicidal",
        r"(?:commit|committing|attempt|attempting|about|of) suicide",
        r"suicide(?! (?:squad|prevention|awareness|hotline|doors?))",
        # A slip in the kitchen is no crisis; said otherwise, hurting oneself is.
        r"(?:wants?|wanted|wanting|wish|going|ready|like|plan|planning|feel) (?:to )?(?:die|dying)"
        r"(?! (?:of (?:laughter|embarrassment|boredom|shame)|laughing|young|old|peacefully|on (?:this|that) hill))",
        r"wish (?:that )?i (?:was|were) (?:dead|never born)",
        r"(?:harm|harming|hurt|hurting|cutting) myself"
        r"(?! (?:while|when|at|in the|during|shaving|cooking|running|playing))",
        r"cut myself(?! (?:(?:while |when |during )?(?:i was )?(?:shaving|cooking|chopping|slicing|peeling|gardening)"
        r"|(?:some|a|out|off|short|loose|in the kitchen|at work|by accident|accidentally)\b))",
        r"self ?harm(?:ing)?",
        r"hang myself",
        r"(?:jump|jumping) (?:off|from) (?:a |the )?(?:bridge|roof|building)",
        r"overdos(?:e|ed|ing)(?! (?:of|on) (?:coffee|chocolate|sugar|caffeine|news))",
        r"(?:took|swallowed|taken) (?:all|too many|a lot) " + GAP2 + r"(?:pills|tablets|sleeping)",
        r"(?:he|she|they|husband|wife|partner|father|mother|boyfriend|girlfriend) "
        r"(?:is |are |keeps? )?(?:hits?|hitting|beats?|beating|chok(?:es|ing)|rap(?:es|ed|ing)) me",
        r"(?:going|threaten(?:s|ed|ing)|wants|trying) to kill me",
        r"i (?:was|am being|got|have been) (?:raped|beaten|abused|strangled)",
    ),
    Language.GERMAN: (
        r"(?:mich|mir) " + GAP3 + r"(?:umbringen|umzubringen|toten|zu toten|erhangen|erschiessen|ritzen)",
        r"(?:bring|bringe) mich " + GAP2 + r"um",
        r"mir (?:selbst )?" + GAP2 + r"(?:das )?leben (?:zu )?nehmen",
        r"(?:nehme?|nahm) (?:ich )?mir " + GAP2 + r"(?:das|mein) leben",
        r"sich " + GAP3 + r"(?:umbringen|umbringt|umgebracht|umzubringen|das leben (?:zu )?(?:nehmen|nimmt|genommen))",
        r"(?:mein|sein|ihr) leben " + GAP2 + r"(?:(?:zu )?beenden|beendet|ein ende (?:zu )?(?:setzen|machen))",
        r"beende(?:t|te)? (?:ich |er |sie )?(?:mein|sein|ihr) leben",
        r"(?:will|wollte|mochte|ware) " + GAP2 + r"tot sein",
        r"(?:ich ware|ware ich) " + GAP2 + r"tot",
        r"ritze? (?:ich )?mich|mich " + GAP2 + r"geritzt",
        r"verletze? (?:ich )?mich " + GAP2 + r"selbst",
        r"spring(?:e|en|t)? " + GAP3 + HIGH_PLACE,
        HIGH_PLACE + r" (?:zu )?(?:spring|gesprungen)[a-z]*",
        r"vor (?:den|einen|die) (?:zug|bahn) " + GAP2 + r"(?:werfen|springen|schmeissen)",
        r"mir " + GAP2 + r"(?:etwas|was) (?:an ?zu ?tun|antun)",
        r"(?:suizid|selbstmord)[a-z]*",
        r"lebensmude",
        r"(?:will|wollte|mochte|wurde) " + GAP4 + r"sterben(?! (?:vor|gelernt))",
        r"(?:lieber|besser|liebsten) " + GAP2 + r"tot",
        r"mich " + GAP2 + r"selbst (?:zu )?verletz(?:en|t)",
        r"(?:alle|alles|zu viele|viele) " + GAP2 + r"(?:tabletten|schlaftabletten|pillen) (?:genommen|geschluckt)",
        r"(?:er|sie|mann|frau|freund|freundin|vater|mutter|partner) "
        r"(?:schlagt|verprugelt|wurgt|vergewaltigt|missbraucht) mich",
        r"(?:will|droht) mich (?:um ?zu ?bringen|umbringen|zu toten)",
        r"(?:vergewaltigt|missbraucht) worden",
    ),
}  # fmt: skip

CERTAIN: dict[Language, tuple[str, ...]] = {
    Language.ENGLISH: (
        r"(?:do|did|does) not (?:really )?(?:want|wish) to "
        r"(?:live|be alive|exist|wake up|go on living|be here any ?more)",
        r"(?:not|never) sure (?:if |that |whether )?i want to (?:live|go on)",
        r"no (?:reason|point) (?:to|in|for) (?:live|living|go on living|being alive)",
        r"(?:better off|rather be) (?:dead|without me)",
        r"can ?not (?:go on|do this) (?:living|any ?more|any longer)? ?(?:with )?(?:my )?life",
        r"i can not go on(?: living)?(?: any ?more| any longer)?(?= \||$)",
        r"(?:sleep|asleep) (?:and|to) (?:just )?(?:never|not) wake up",
        r"(?:hope|wish|pray) (?:that )?i (?:do |did |would |will )?(?:just )?(?:not|never) (?:wake|woke) up"
        r"(?! (?:late|early|at|in|to|before)\b)",
        r"why can not i (?:just )?die",
        r"nothing (?:left |more )?to live for",
        r"(?:do|would) not care if i (?:die|died|lived)",
        r"not worth living",
        # Other languages that cannot be taken for English; their people read the English text and their own lines.
        r"(?:me suicider|envie de mourir|en finir avec la vie|veux mourir)",
        r"(?:suicidarme|quiero morir(?:me)?|quitarme la vida|no quiero vivir)",
    ),
    Language.GERMAN: (
        r"nicht (?:mehr )?(?:leben|weiterleben|weiter leben|aufwachen|da sein) ?(?:will|mochte|wollen)?(?! ohne)",
        r"leben " + GAP3 + r"(?:keinen sinn|sinnlos|nicht (?:mehr )?lebenswert)",
        r"keinen sinn mehr (?:im|in meinem) leben",
        r"keine? (?:lust|grund|kraft|willen?) (?:mehr )?(?:zu|zum|weiter zu|weiterzu) ?leben",
        r"ohne mich besser dran",
    ),
}  # fmt: skip

# Each phrase above holds one of these words, or these letters in one: most texts hold none and are done with
# after this look. A phrase that is added brings its own; the tests try what each phrase can match.
TELLING = frozenset(
    "abused alive beat beaten beating beats born chokes choking dead die died dying end ending exist go harm "
    "harming here hit hits hitting jump jumping kill killed killing kills kms live lived lives living myself "
    "overdose overdosed overdosing pills raped rapes raping selfharm selfharming sleeping strangled sure tablets "
    "wake without woke antun anzutun bahn balkon bring bringe bringen brucke dach dran erhangen erschiessen fenster "
    "geritzt hochhaus missbraucht pillen ritz ritze ritzen schlagt schlaftabletten sterben tabletten tot toten tun "
    "umbringen umbringt umgebracht umzubringen vergewaltigt verletz verletze verletzen verletzt verprugelt wurgt "
    "zubringen zug zutun morir morirme mourir vida vie vivir".split()
)
TELLING_STEMS = ("leben", "life", "aufwachen", "da sein", "suizid", "selbstmord", "suicid")

# A negator turns a phrase round only where nothing but these words stands between them: in "I cannot stop thinking of
# suicide" or "I do not know whether I want to die" another word does, and both mean danger.
# "Without" is none: "not a day without thinking about suicide".
NEGATORS = frozenset("not never no nor neither nicht nie niemals kein keine keinen keiner".split())
# "No I want to die": an answer, and then what is meant.
ANSWERS = frozenset(("no",))
SUBJECTS = frozenset("i he she they we my ich er sie wir mein meine".split())
# "Never so badly as now" is no never, and "not today" no not.
NEVERS = frozenset(("never", "nie", "niemals"))
STRONGER = frozenset("so more much badly strongly mehr sehr stark".split())
FOR_NOW = frozenset("today tonight yet heute".split())
# Where another thought begins although no mark of a clause stands there.
JOINTS = frozenset("| and und because weil denn".split())
FILLERS = frozenset(
    "going to want wanted wanting thinking think thought thoughts about of feel feeling be being am are really ever "
    "any have having had planning plan plans intend intending intention would will actually at all the a an longer "
    "anymore currently considering trying in danger i "
    "vor mich mir zu wirklich mehr daran an gedanken habe denke will wollen werde wurde mochte uber etwas selbst die "
    "absicht das".split()
)
