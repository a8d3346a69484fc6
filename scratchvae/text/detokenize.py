"""Words as one would write them: the inverse of tokenize, as far as there is one."""

CLOSING = frozenset(". , : ; ! ? ) ] } % ... '' ” ’ »".split())
OPENING = frozenset("( [ { $ `` “ ‘ „ «".split())
ENDINGS = frozenset("n't 's 'd 'll 're 've 'm".split())
PAIRS = frozenset(
    [
        "can not",
        "gon na",
        "wan na",
        "got ta",
        "gim me",
        "lem me",
        "more 'n",
        "d 'ye",
        "'t is",
        "'t was",
    ]
)
CUT_IN_FRONT = frozenset(
    """bout em fore gainst gan gins greed larum larums mongst neath sblood scape scaped sdeath tis twas tween
    twere twill twixt twould un zounds""".split()
)  # what follows an apostrophe: 'em
CUT_AT_THE_END = frozenset("a an gi ha i o t th wi".split())  # what goes before one: o'
QUOTES = {"``": '"', "''": '"'}


def detokenize(words):
    """The words of a line or more, as tokenize gives them, as readable text.

    A word that was split is whole again ("ca", "n't"; "'", "tis"), and punctuation and quotes stand
    where they belong.  Whether
    an apostrophe opens a quotation, ends it, or stands for letters left out is guessed from the
    words beside it.
    """
    words = list(words)
    text = ""
    joined = True
    quoted = {"'": False, '"': False}
    for before, word, after in zip(["", *words], words, [*words[1:], ""]):
        left = word in CLOSING or word in ENDINGS or f"{before} {word}".lower() in PAIRS
        right = word in OPENING
        if word == "--":
            left = right = True
        elif word == "'" and after.lower() in CUT_IN_FRONT:
            right = True
        elif word == "'" and not quoted["'"] and _belongs_before(before, after):
            left = True
        elif word in quoted:
            left = quoted[word]
            right = not quoted[word]
            quoted[word] = right
        text += ("" if left or joined else " ") + QUOTES.get(word, word)
        joined = right
    return text


def _belongs_before(before, after):
    """Does an apostrophe between these, where no quotation is open, end the word before it:

    o' the, soldiers' arms?
    """
    return (
        not after
        or after in CLOSING
        or before.lower() in CUT_AT_THE_END
        or before[-1:] == "s"
        and not after[0].isupper()
    )
