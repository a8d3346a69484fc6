"""Endings of Early Modern verbs: knowest -> know, loveth -> loves, belov'd -> beloved.

Only a grammar could undo every ending. Here an ending is undone where the verb is in the lexicon,
or where thou stands beside it. All words are in lower case.
"""
import re

from .lexicon import ALSO_ADJECTIVES, FALSE_FRIENDS, PASTS, VERBS, WORDS


def verb_of(stem):
    """Return the verb whose stem an ending left, or None.

    "know" -> "know", "lov" -> "love", "cri" -> "cry", "runn" -> "run"
    """
    undoubled = stem[:-1] if stem[-1:] == stem[-2:-1] else stem
    for verb in (stem, stem + "e", re.sub("i$", "y", stem), undoubled):
        if verb in VERBS:
            return verb
    return None


def third_person(verb):
    """Return the third person of a verb: love -> loves, go -> goes, cry -> cries."""
    if verb == "have":
        return "has"
    ending = "es" if re.search("(s|x|z|ch|sh|o)$", verb) else "s"
    return re.sub("([^aeiou])y$", r"\1ie", verb) + ending


def past(stem):
    """Return the past of a stem before 'd: belov -> beloved, deny -> denied, drop -> dropped."""
    if stem in VERBS and re.fullmatch("[^aeiou]+[aeiou][bdgmnprt]", stem):
        return stem + stem[-1] + "ed"
    return re.sub("([^aeiou])y$", r"\1i", stem).removesuffix("e") + "ed"


def second_person(word, beside_thou=True):
    """Return the form after "you" of a verb after "thou", or None if it may be another word.

    knowest, know'st -> know; call'dst -> called

    Parameters
    ----------
    word : str
    beside_thou : bool, default True
        Whether thou stands beside the word; otherwise "meanest" may be a superlative.
    """
    if word in FALSE_FRIENDS:
        return None
    if found := re.fullmatch("(.+)(ed|'d)'?st", word):
        stem, sign = found.groups()
        return past(stem) if sign == "'d" else stem + "ed"
    found = re.fullmatch("(.+)(e|')st", word)
    if not found:
        return None
    stem, sign = found.groups()
    known = _past_or_verb(stem)
    if known and (beside_thou or known not in ALSO_ADJECTIVES):
        return WORDS.get(known, known)
    if sign == "'":
        return stem if beside_thou else stem + "est"        # dear'st is dearest
    return None


def _past_or_verb(stem):
    """Return the past tense or the verb whose stem an ending left, or None."""
    for form in (stem, stem + "e"):
        if form in PASTS:
            return form
    return verb_of(stem)


def split(word):
    """Return a verb form as (auxiliary, verb), or None if it is not a verb.

    knows -> (does, know), knew -> (did, know)
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


def _loves(stem):
    """Return the third person of the verb of a stem before -eth, or None."""
    verb = verb_of(stem)
    return verb and third_person(verb)


def _over(rest):
    """Return over- and a word whose own ending is undone as well."""
    return "over" + (without_ending(rest) or rest)


# Today's English has I'd and don't, but not look'd and do't.
TODAY_BEFORE_D = """
    i|you|s?he|it|we|they|who|what|that|there|where|how|why|when|this|here|nobody|someone"""
TODAY_BEFORE_NT = """
    do(?:es)?|did|is|are|was|were|ha[sd]|have|ca|wo|sha|ai|may|dare|need|must|ought|might|
    (?:w|c|sh)ould"""
ENDINGS = [(re.compile("".join(pattern.split())), undo) for pattern, undo in (
    ("([a-z]+)eth", _loves),
    (f"(?!(?:{TODAY_BEFORE_D})'d)([a-z]+)'d", past),
    (f"(?!(?:{TODAY_BEFORE_NT})n't)([a-z]+)'t", "{} it".format),
    ("([a-z]+)e'er", "{}ever".format),
    ("o'er([a-z']+)", _over),
    ("([a-z]+[lvz])'n", "{}en".format),
)]


def without_ending(word):
    """Return a word without its Early Modern ending or contraction, or None if it has none.

    None also if the ending is not safe to undo.
    """
    if word in FALSE_FRIENDS:
        return None
    for pattern, undo in ENDINGS:
        if found := pattern.fullmatch(word):
            return undo(found[1])
    return second_person(word, beside_thou=False)
