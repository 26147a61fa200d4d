"""Phrases that mean danger, as regular expressions over normalised text (see crisis.normalised).

Small on purpose, and meant to grow. It is read by people who answer for safety: one phrase a line. A phrase that is a
negation itself ("do not want to live") is CERTAIN: nothing before it can turn it round. Doubt leans towards help.
"""

from coaching.domain.people import Language

# Up to n words of any kind between two others; never across the mark of a clause.
GAP2 = r"(?:[a-z]+ ){0,2}"
GAP3 = r"(?:[a-z]+ ){0,3}"

NEGATABLE: dict[Language, tuple[str, ...]] = {
    Language.ENGLISH: (
        r"kill(?:ing)? (?:myself|my self)",
        r"kms",
        r"(?:take|taking|end|ending) my (?:own )?life",
        r"(?:end|ending) it all",
        r"suicidal",
        r"(?:commit|committing|attempt|attempting|about|of) suicide",
        r"suicide(?! (?:squad|prevention|awareness|hotline|doors?))",
        # A slip in the kitchen is no crisis; said otherwise, hurting oneself is.
        r"(?:want|wanted|wanting|wish|going|ready|like|plan|planning|feel) (?:to )?(?:die|dying)"
        r"(?! (?:of (?:laughter|embarrassment|boredom|shame)|laughing|young|old|peacefully|on (?:this|that) hill))",
        r"wish (?:that )?i (?:was|were) (?:dead|never born)",
        r"(?:harm|harming|hurt|hurting|cutting) myself"
        r"(?! (?:while|when|at|in the|during|shaving|cooking|running|playing))",
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
        r"mir " + GAP2 + r"(?:etwas|was) (?:an ?zu ?tun|antun)",
        r"(?:suizid|selbstmord)[a-z]*",
        r"lebensmude",
        r"(?:will|mochte|wurde) " + GAP3 + r"sterben(?! (?:vor|gelernt))",
        r"(?:lieber|besser|liebsten) " + GAP2 + r"tot",
        r"mich " + GAP2 + r"selbst (?:zu )?verletzen",
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
        r"ohne mich besser dran",
    ),
}  # fmt: skip

# A negator turns a phrase round only where nothing but these words stands between them: in "I cannot stop thinking of
# suicide" or "I do not know whether I want to die" another word does, and both mean danger.
NEGATORS = frozenset("not never no nor neither without nicht nie niemals kein keine keinen keiner ohne".split())
FILLERS = frozenset(
    "going to want wanted wanting thinking think thought thoughts about of feel feeling be being am are really ever "
    "any have having had planning plan plans intend intending intention would will actually at all the a an longer "
    "anymore currently considering trying in danger i "
    "vor mich mir zu wirklich mehr daran an gedanken habe denke will wollen werde wurde mochte uber etwas selbst die "
    "absicht das".split()
)
