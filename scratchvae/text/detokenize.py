"""Readable text from tokens: the inverse of tokenize, as far as it has one."""

CLOSING = frozenset(". , : ; ! ? ) ] } % ... '' ” ’ »".split())
OPENING = frozenset("( [ { $ `` “ ‘ „ «".split())
ENDINGS = frozenset("n't 's 'd 'll 're 've 'm".split())
PAIRS = frozenset(["can not", "gon na", "wan na", "got ta", "gim me", "lem me", "more 'n", "d 'ye",
                   "'t is", "'t was"])
# Words that begin with an apostrophe, such as 'em, and words that end in one, such as o'.
CUT_IN_FRONT = frozenset("""
    bout em fore gainst gan gins greed larum larums mongst neath sblood scape scaped sdeath tis twas
    tween twere twill twixt twould un zounds""".split())
CUT_AT_THE_END = frozenset("a an gi ha i o t th wi".split())
QUOTES = {"``": '"', "''": '"'}


def detokenize(words):
    """Return tokens, as tokenize gives them, as readable text.

    Words that were split are joined ("ca", "n't"; "'", "tis"), and blanks around punctuation and
    quotes are as in print. An apostrophe may open a quotation, close it or replace letters that
    were left out; which of these is guessed from the words beside it.
    """
    words = list(words)
    text = ""
    joined = True                       # the next word follows without a blank
    quoted = {"'": False, '"': False}   # whether such a quotation is open
    for before, word, after in zip(["", *words], words, [*words[1:], ""]):
        # left and right: the word joins the one before it, and the one after it
        left = word in CLOSING or word in ENDINGS or f"{before} {word}".lower() in PAIRS
        right = word in OPENING
        if word == "--":
            left = True
            right = True
        elif word == "'" and after.lower() in CUT_IN_FRONT:
            right = True
        elif word == "'" and not quoted["'"] and _ends_a_word(before, after):
            left = True
        elif word in quoted:
            left = quoted[word]
            right = not quoted[word]
            quoted[word] = right
        if not (left or joined):
            text += " "
        text += QUOTES.get(word, word)
        joined = right
    return text


def _ends_a_word(before, after):
    """Return whether an apostrophe outside a quotation ends the word before it: o', soldiers'."""
    if not after or after in CLOSING:
        return True
    if before.lower() in CUT_AT_THE_END:
        return True
    return before[-1:] == "s" and not after[0].isupper()
