"""Shakespeare's English in today's English, and in today's slang.

    modernise("Wherefore art thou Romeo?")          "Why are you Romeo?"
    slangify("Good morrow, my lord.")               "Yo, my dude."

The lexicon has the words, scratchvae.text.endings undoes endings, and this file has the rules that
look at the words around. Spaces, line breaks, punctuation and modern English stay as they are.
"""
import re
from functools import lru_cache

from .endings import second_person, split, without_ending
from .lexicon import (
    ADVERBS,
    AUXILIARY_BEFORE_THOU,
    DESCRIPTIONS,
    MINE,
    MODERN_BEFORE_NOT,
    NOT_AFTER_THINE,
    NOT_THAT,
    SLANG,
    SPLIT_NEGATION,
    WORDS,
)

SPEAKER = re.compile(r"((?:\A|(?<=\n\n))[A-Z][^\n:]{0,40}:$)", re.MULTILINE)


def modernise(text):
    """Return Early Modern English in today's English; the names of speakers stay."""
    return rewrite_speeches(text, MODERN)


def slangify(text):
    """Return Early Modern English in today's slang: "I know not, my lord" -> "No idea, my dude"."""
    return rewrite_speeches(modernise(text), SLANGY)


def rewrite_speeches(text, rules):
    """Return a text after all rules, except for the names of speakers.

    Parameters
    ----------
    text : str
    rules : list of (pattern, function of a match)
        Applied one after the other, each to the whole text.
    """
    pieces = SPEAKER.split(text)
    for pattern, rewrite in rules:
        pieces[::2] = [pattern.sub(rewrite, piece) for piece in pieces[::2]]
    return "".join(pieces)


def like(old, new):
    """Return a new word in the case of the old one, and with its kind of apostrophe."""
    if "’" in old:
        new = new.replace("'", "’")
    letters = [letter for letter in old if letter.isalpha()]
    if len(letters) > 1 and all(letter.isupper() for letter in letters):
        return new.upper()
    return new[0].upper() + new[1:] if letters[0].isupper() else new


def key(old):
    """Return a word or phrase as the lexicon spells it."""
    return old.lower().replace("’", "'")


# Rules: each takes a match of its pattern and returns what replaces it.


def question(found):
    """know'st thou ...? -> do you know ...?; so liest thou. -> so you lie."""
    word = found[1]
    space = found[2]
    not_ = found[3] or ""
    asks = found[4]
    said = None if key(word) in WORDS else second_person(key(word))
    if not said:
        return found[0]
    auxiliary, verb = split(said) or ("do", said)
    if asks:
        return like(word, f"{auxiliary}{space}you{not_} {verb}")
    if not_:
        return like(word, f"you{space}{auxiliary}{not_} {verb}")
    return like(word, f"you{space}{said}")


def beside_thou(found):
    """thou knowest -> thou know; thou art -> thou are."""
    word = key(found[2])
    said = AUXILIARY_BEFORE_THOU.get(word)
    if not said and word not in WORDS:
        said = second_person(word)
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
    if auxiliary == "do" and key(subject) in ("he", "she", "it"):       # if he come not
        auxiliary = "does"
    return f"{subject}{space}{auxiliary} not {verb}{whom}"


def article(found):
    """an apothecary -> a apothecary, because "apothecary" will become "pharmacist"."""
    noun = DESCRIPTIONS.get(key(found[2]))
    if not noun:
        return found[0]
    vowel = re.match("[aio]|e(?!u)|u(?!se|su|ni)", noun)
    return like(found[1], "an" if vowel else "a")


@lru_cache(maxsize=None)
def modern_word(old):
    """Return a word in today's English, looked up with its apostrophes first and then without."""
    bare = old.strip("'’")
    if key(old) in WORDS:
        return like(old, WORDS[key(old)])
    if bare != old:
        return old.replace(bare, modern_word(bare))
    undone = without_ending(key(old))
    if not undone:
        return old
    return like(old, " ".join(WORDS.get(part, part) for part in undone.split()))


def slang_word(old):
    """Return a word in slang."""
    return like(old, SLANG[key(old)]) if key(old) in SLANG else old


def always(new):
    """Return the rule that replaces every match by the same words, in the case of the match."""
    return lambda found: like(found[0], new)


def from_lexicon(lexicon, word):
    """Return the pair (pattern, rule) that replaces the phrases and words of a lexicon.

    Parameters
    ----------
    lexicon : dict
        Old phrase or word -> new one. Longer phrases are replaced before shorter ones.
    word : function of a str
        Replaces each word that is not part of a phrase.
    """
    phrases = [entry for entry in lexicon if re.search("[^a-z']", entry)]
    phrases.sort(key=len, reverse=True)
    pattern = rf"(?<!\w)({'|'.join(map(re.escape, phrases))})(?!'?\w)|'?[a-z]+(?:'[a-z]+)*'?"
    return pattern, lambda found: phrase(found, lexicon) if found[1] else word(found[0])


def phrase(found, lexicon):
    """Return the new phrase for a matched one.

    In mid-sentence the capital of "I" is not that of the phrase: and I pray you -> and please.
    """
    old = found[1]
    # The pattern ignores case, so it also matches letters that the lexicon lacks: the long s.
    new = lexicon.get(key(old), old)
    before = found.string[max(found.start() - 2, 0):found.start()]
    amid = re.search(r"[\w,;] $", before)
    if amid and re.match(r"I\b", old) and not old.isupper():
        old = old[0].lower() + old[1:]
    return like(old, new)


def compiled(*rules):
    """Return rules with compiled patterns, in which ' matches either kind of apostrophe."""
    return [(re.compile(pattern.replace("'", "['’]"), re.IGNORECASE | re.MULTILINE), rewrite)
            for pattern, rewrite in rules]


def any_of(words):
    """Return a pattern that matches one of the words."""
    return rf"(?:{'|'.join(words.split())})\b"


ADVERBS_BETWEEN = rf"(?: {any_of(ADVERBS)})*"

MODERN = compiled(
    (r"\b([a-z]+'?st)( +)thou\b( +not\b)?(?=[^.!;?]{0,200}(\?)?)", question),
    (rf"\b(thou(?:,? {any_of(ADVERBS)})*\s+)(art|wilt|[a-z]+'?st)\b", beside_thou),
    (r"\b(th(?:ou|ee)\b[^.!?:;]{0,80}?(?:,|\b(?:that|who|which|but|and|n?or|as))"
     rf"{ADVERBS_BETWEEN} )(art|wilt)\b", beside_thou),
    (rf"\b()(art|wilt)\b(?={ADVERBS_BETWEEN}\s+thou\b)", beside_thou),
    (rf"\bthine(?=\s+(?!{any_of(NOT_AFTER_THINE)})[aeiouh])", always("your")),
    (rf"\bmine(?= {any_of(MINE)})", always("my")),
    (rf"\byonder(?=\s+(?!{any_of(NOT_THAT)})[a-z])", always("that")),
    (r"\byonder\b", always("over there")),
    (r"(?:(?<=[,;:.!?] )|(?<=--)|^)marry(?=[,;:!])", always("indeed")),
    (r"'tis(?=\s*[,;.:!?]|\s+to\b)", always("it is")),
    (r"\b(an?)(?= ([a-z]+(?:-[a-z]+)?))", article),
    from_lexicon(WORDS, modern_word),
    (r"\b(I|you|we|they|he|she|it)( +)([a-z]+)( +(?:me|you|him|her|it|us|them))? +not\b"
     rf"(?! +{any_of(SPLIT_NEGATION)})", negation),
)

SLANGY = compiled(from_lexicon(SLANG, slang_word))
