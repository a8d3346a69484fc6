"""Shakespeare's English in today's, and in today's slang.

    modernise("Wherefore art thou Romeo?")          "Why are you Romeo?"
    slangify("Good morrow, my lord.")               "Yo, my dude."

The words are in the lexicon; here are the endings, which it would take a grammar to undo: an ending
goes only where its verb
is known, or where thou stands beside it.  Spaces, line breaks and punctuation stay as they are, and
so does English of today.
"""

import re
from functools import lru_cache

from .lexicon import (
    ADVERBS,
    ALSO_ADJECTIVES,
    AUXILIARY_BEFORE_THOU,
    DESCRIPTIONS,
    FALSE_FRIENDS,
    MINE,
    MODERN_BEFORE_NOT,
    NOT_AFTER_THINE,
    NOT_THAT,
    PASTS,
    SLANG,
    SPLIT_NEGATION,
    VERBS,
    WORDS,
)


def modernise(text):
    """Early Modern English as it would be said today:

    "thou knowest" -> "you know".  Names before speeches stay.
    """
    return rewrite_speeches(text, MODERN)


def slangify(text):
    """The same in today's slang: "I know not, my lord" -> "No idea, my dude"."""
    return rewrite_speeches(modernise(text), SLANGY)


def rewrite_speeches(text, rules):
    """Apply pairs of (pattern, function of the match), one after the other, to all but the names of
    the speakers.
    """
    pieces = SPEAKER.split(text)
    for pattern, rewrite in rules:
        pieces[::2] = [pattern.sub(rewrite, piece) for piece in pieces[::2]]
    return "".join(pieces)


def like(old, new):
    """The new word in the case of the old one, and with its kind of apostrophe."""
    if "’" in old:
        new = new.replace("'", "’")
    letters = [letter for letter in old if letter.isalpha()]
    if len(letters) > 1 and all(letter.isupper() for letter in letters):
        return new.upper()
    return new[0].upper() + new[1:] if letters[0].isupper() else new


def key(old):
    """A word or phrase as the lexicon has it."""
    return old.lower().replace("’", "'")


# Endings ------------------------------------------------------------------------------------------
# ---------------------------


def verb_of(stem):
    """The verb that an ending left this stem of:

    "know" -> "know", "lov" -> "love", "cri" -> "cry", "runn" -> "run"; or None.
    """
    undoubled = stem[:-1] if stem[-1:] == stem[-2:-1] else stem
    return next(
        (verb for verb in (stem, stem + "e", re.sub("i$", "y", stem), undoubled) if verb in VERBS),
        None,
    )


def third_person(verb):
    """love -> loves, go -> goes, cry -> cries."""
    if verb == "have":
        return "has"
    return re.sub("([^aeiou])y$", r"\1ie", verb) + (
        "es" if re.search("(s|x|z|ch|sh|o)$", verb) else "s"
    )


def past(stem):
    """What stood before 'd, with -ed: belov -> beloved, deny -> denied, drop -> dropped."""
    if stem in VERBS and re.fullmatch("[^aeiou]+[aeiou][bdgmnprt]", stem):
        return stem + stem[-1] + "ed"
    return re.sub("([^aeiou])y$", r"\1i", stem).removesuffix("e") + "ed"


def second_person(word, beside_thou=True):
    """What you do, of what thou dost:

    knowest, know'st -> know; call'dst -> called; None if the word may be something else.
    """
    if word in FALSE_FRIENDS:
        return None
    if found := re.fullmatch("(.+)(ed|'d)'?st", word):
        return past(found[1]) if found[2] == "'d" else found[1] + "ed"
    found = re.fullmatch("(.+)(e|')st", word)
    if not found:
        return None
    stem, sign = found.groups()
    known = next((form for form in (stem, stem + "e") if form in PASTS), verb_of(stem))
    if known and (beside_thou or known not in ALSO_ADJECTIVES):
        return WORDS.get(known, known)
    if sign == "'":
        return stem if beside_thou else stem + "est"  # dear'st is dearest
    return None


def split(word):
    """(auxiliary, verb) that say together what a verb says:

    knows -> (does, know), knew -> (did, know); None if it is no verb.
    """
    if word in PASTS:
        return "did", PASTS[word]
    if word in VERBS:
        return "do", word
    for ending, auxiliary in (("s", "does"), ("es", "does"), ("ed", "did")):
        verb = verb_of(word.removesuffix(ending))
        if verb and word in (third_person(verb), past(verb), verb + "ed"):
            return auxiliary, verb
    return None


# I'd and don't are of today, look'd and do't are not.
ENDINGS = [
    (re.compile(pattern), undo)
    for pattern, undo in (
        ("([a-z]+)eth", lambda stem: verb_of(stem) and third_person(verb_of(stem))),
        (
            "(?!(?:i|you|s?he|it|we|they|who|what|that|there|where|how|why|when|this|here|nobody|someone)'d)([a-z]+)'d",
            past,
        ),
        (
            "(?!(?:do(?:es)?|did|is|are|was|were|ha[sd]|have|ca|wo|sha|ai|may|dare|need|must|ought|might|(?:w|c|sh)ould)n't)([a-z]+)'t",
            "{} it".format,
        ),
        ("([a-z]+)e'er", "{}ever".format),
        ("o'er([a-z']+)", lambda rest: "over" + (without_ending(rest) or rest)),
        ("([a-z]+[lvz])'n", "{}en".format),
    )
]


def without_ending(word):
    """The word without its Early Modern ending or contraction, or None if it has none that is safe
    to undo.
    """
    if word in FALSE_FRIENDS:
        return None
    for pattern, undo in ENDINGS:
        if found := pattern.fullmatch(word):
            return undo(found[1])
    return second_person(word, beside_thou=False)


# Rules --------------------------------------------------------------------------------------------
# ---------------------------


def question(found):
    """know'st thou ...? -> do you know ...?   and so liest thou. -> so you lie."""
    word = found[1]
    space = found[2]
    negation = found[3] or ""
    asks = found[4]
    said = None if key(word) in WORDS else second_person(key(word))
    if not said:
        return found[0]
    auxiliary, verb = split(said) or ("do", said)
    if asks:
        return like(word, f"{auxiliary}{space}you{negation} {verb}")
    return like(
        word, f"you{space}{auxiliary}{negation} {verb}" if negation else f"you{space}{said}"
    )


def beside_thou(found):
    """thou knowest -> thou know, thou art -> thou are."""
    word = key(found[2])
    said = AUXILIARY_BEFORE_THOU.get(word) or (None if word in WORDS else second_person(word))
    return found[1] + like(found[2], said) if said else found[0]


def negation(found):
    """I know him not -> I do not know him."""
    subject = found[1]
    space = found[2]
    word = key(found[3])
    whom = found[4] or ""
    auxiliary, verb = split(word) or (None, None)
    if not verb or verb in MODERN_BEFORE_NOT:
        return found[0]
    if auxiliary == "do" and key(subject) in ("he", "she", "it"):  # if he come not
        auxiliary = "does"
    return f"{subject}{space}{auxiliary} not {verb}{whom}"


def article(found):
    """an apothecary -> a apothecary, because a pharmacist will follow."""
    noun = DESCRIPTIONS.get(key(found[2]))
    return (
        like(found[1], "an" if re.match("[aio]|e(?!u)|u(?!se|su|ni)", noun) else "a")
        if noun
        else found[0]
    )


@lru_cache(maxsize=None)
def modern_word(old):
    """A word in today's English, looked up with the apostrophes around it, and else without them.
    """
    bare = old.strip("'’")
    if key(old) in WORDS:
        return like(old, WORDS[key(old)])
    if bare != old:
        return old.replace(bare, modern_word(bare))
    undone = without_ending(key(old))
    return like(old, " ".join(WORDS.get(part, part) for part in undone.split())) if undone else old


def slang_word(old):
    """A word in slang."""
    return like(old, SLANG[key(old)]) if key(old) in SLANG else old


def from_lexicon(lexicon, word):
    """The rule that replaces phrases by those of the lexicon, the longest first, and what is left
    word by word.
    """
    keys = sorted(
        (entry for entry in lexicon if re.search("[^a-z']", entry)), key=len, reverse=True
    )
    pattern = rf"(?<!\w)({'|'.join(map(re.escape, keys))})(?!'?\w)|'?[a-z]+(?:'[a-z]+)*'?"
    return pattern, lambda found: phrase(found, lexicon) if found[1] else word(found[0])


def phrase(found, lexicon):
    """A phrase of the lexicon.

    The capital of I says nothing in mid-sentence: and I pray you -> and please.
    """
    old = found[1]
    new = lexicon.get(
        key(old), old
    # letters that match only because their case is ignored, as the long s does, are in no lexicon
    )
    amid = re.search(r"[\w,;] $", found.string[max(found.start() - 2, 0) : found.start()])
    return like(
        old[0].lower() + old[1:] if amid and re.match(r"I\b", old) and not old.isupper() else old,
        new,
    )


def compiled(*rules):
    """Rules with their patterns compiled, in which ' stands for either apostrophe."""
    return [
        (re.compile(pattern.replace("'", "['’]"), re.IGNORECASE | re.MULTILINE), rewrite)
        for pattern, rewrite in rules
    ]


def any_of(words):
    """A pattern of one of the words."""
    return rf"(?:{'|'.join(words.split())})\b"


SPEAKER = re.compile(r"((?:\A|(?<=\n\n))[A-Z][^\n:]{0,40}:$)", re.MULTILINE)

MODERN = compiled(
    (r"\b([a-z]+'?st)( +)thou\b( +not\b)?(?=[^.!;?]{0,200}(\?)?)", question),
    (rf"\b(thou(?:,? {any_of(ADVERBS)})*\s+)(art|wilt|[a-z]+'?st)\b", beside_thou),
    (
        rf"\b(th(?:ou|ee)\b[^.!?:;]{{0,80}}?(?:,|\b(?:that|who|which|but|and|n?or|as))(?: {any_of(ADVERBS)})* )(art|wilt)\b",
        beside_thou,
    ),
    (rf"\b()(art|wilt)\b(?=(?: {any_of(ADVERBS)})*\s+thou\b)", beside_thou),
    (rf"\bthine(?=\s+(?!{any_of(NOT_AFTER_THINE)})[aeiouh])", lambda found: like(found[0], "your")),
    (rf"\bmine(?= {any_of(MINE)})", lambda found: like(found[0], "my")),
    (rf"\byonder(?=\s+(?!{any_of(NOT_THAT)})[a-z])", lambda found: like(found[0], "that")),
    (r"\byonder\b", lambda found: like(found[0], "over there")),
    (r"(?:(?<=[,;:.!?] )|(?<=--)|^)marry(?=[,;:!])", lambda found: like(found[0], "indeed")),
    (r"'tis(?=\s*[,;.:!?]|\s+to\b)", lambda found: like(found[0], "it is")),
    (r"\b(an?)(?= ([a-z]+(?:-[a-z]+)?))", article),
    from_lexicon(WORDS, modern_word),
    (
        rf"\b(I|you|we|they|he|she|it)( +)([a-z]+)( +(?:me|you|him|her|it|us|them))? +not\b(?! +{any_of(SPLIT_NEGATION)})",
        negation,
    ),
)

SLANGY = compiled(from_lexicon(SLANG, slang_word))
