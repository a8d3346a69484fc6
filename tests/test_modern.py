"""Tests of Early Modern English in today's: words, endings, false friends, and what must stay."""
import time

import pytest

from scratchvae.text import lexicon
from scratchvae.text.endings import past, second_person, split, third_person, verb_of
from scratchvae.text.modern import like, modernise, slangify

PAIRS = """
    thou                                    | you
    thou art kind                           | you are kind
    art thou kind?                          | are you kind?
    thou hast it                            | you have it
    he hath it                              | he has it
    she doth sing                           | she does sing
    dost thou sing?                         | do you sing?
    didst thou sing?                        | did you sing?
    if thou hadst come                      | if you had come
    thou wert late                          | you were late
    thou wast late                          | you were late
    thou shalt see                          | you shall see
    thou wilt see                           | you will see
    wilt thou not see?                      | will you not see?
    thou canst see                          | you can see
    how dost thou know?                     | how do you know?
    how dost thou, coz?                     | how are you, cousin?
    thou canst not see                      | you cannot see
    thou mayst see                          | you may see
    thou must see                           | you must see
    thou wouldst see                        | you would see
    thou couldst see                        | you could see
    thou shouldst see                       | you should see
    I durst not                             | I dared not
    I give it thee                          | I give it you
    thy hat                                 | your hat
    thine own hat                           | your own hat
    thine eyes                              | your eyes
    thine alone                             | yours alone
    it is thine.                            | it is yours.
    thine is the glory                      | yours is the glory
    mine eyes                               | my eyes
    mine own                                | my own
    look to thyself                         | look to yourself
    hear ye                                 | hear you
    thou'rt late                            | you're late
    thou'lt see                             | you'll see
    thou knowest                            | you know
    thou know'st                            | you know
    thou lovest                             | you love
    thou lovedst                            | you loved
    thou call'dst                           | you called
    thou liest                              | you lie
    thou criest                             | you cry
    thou runn'st                            | you run
    thou seest                              | you see
    thou goest                              | you go
    thou camest                             | you came
    thou spak'st                            | you spoke
    thou never sleepest                     | you never sleep
    thou meanest well                       | you mean well
    which liest there                       | which lie there
    know'st thou the way?                   | do you know the way?
    what sayest thou?                       | what do you say?
    camest thou alone?                      | did you come alone?
    lovedst thou him?                       | did you love him?
    know'st thou not the way?               | do you not know the way?
    and so liest thou.                      | and so you lie.
    he loveth                               | he loves
    she goeth                               | she goes
    it crieth                               | it cries
    time passeth                            | time passes
    he saith                                | he says
    he seeth                                | he sees
    it pleaseth her                         | it pleases her
    the boat that lieth there               | the boat that lies there
    who runneth may read                    | who runs may read
    he playeth                              | he plays
    he teacheth                             | he teaches
    I know not                              | I do not know
    I love thee not                         | I do not love you
    he loveth her not                       | he does not love her
    they came not                           | they did not come
    if she come not                         | if she does not come
    'tis late                               | it's late
    here 'tis.                              | here it is.
    'twas late                              | it was late
    'twere better                           | it were better
    'twill do                               | it will do
    'twixt us                               | between us
    'gainst us                              | against us
    o'er the hill                           | over the hill
    o'erwhelm'd                             | overwhelmed
    ne'er again                             | never again
    e'en so                                 | even so
    where'er you go                         | wherever you go
    i' the house                            | in the house
    i' th' house                            | in the house
    th' house                               | the house
    the top o' the hill                     | the top of the hill
    do't                                    | do it
    is't so?                                | is it so?
    I'll pay for't                          | I'll pay for it
    imprison't                              | imprison it
    let 'em go                              | let 'em go
    I have ta'en it                         | I have taken it
    the heav'n above                        | the heaven above
    it was stol'n                           | it was stolen
    belov'd                                 | beloved
    banish'd                                | banished
    tried and deny'd                        | tried and denied
    drop'd and stopp'd                      | dropped and stopped
    the dear'st friend                      | the dearest friend
    I'ld go                                 | I'd go
    wherefore do you weep?                  | why do you weep?
    and I prithee, stay                     | and please, stay
    stay, I pray you                        | stay, please
    anon, good nurse                        | soon, good nurse
    ere we go                               | before we go
    come hither                             | come here
    go thither                              | go there
    whence art thou?                        | where are you from?
    get thee hence                          | go away
    from hence                              | from here
    nay, aye, yea                           | no, yes, yes
    forsooth, methinks                      | indeed, I think
    methought I slept                       | I thought I slept
    betwixt the two                         | between the two
    oft at yonder window                    | often at that window
    he stands yonder.                       | he stands over there.
    good morrow, coz                        | good morning, cousin
    to-morrow or to-night                   | tomorrow or tonight
    I would fain go                         | I would gladly go
    fare thee well                          | farewell
    an thou come                            | if you come
    an apothecary                           | a pharmacist
    such an argosy                          | such a great ship
    a knave                                 | a rascal
    marry, sir, it is.                      | indeed, sir, it is.
    they marry, sir.                        | they marry, sir.
    whence comest thou?                     | where do you come from?
    entreat her                             | beg her
    why, marry, sir                         | why, indeed, sir
    thou that art kind                      | you that are kind
""".strip().splitlines()

MODERN = """
I think the best guests rest in the west of the forest. Beneath my breath I said that death is an
honest priest; Elizabeth and Macbeth, with white teeth, had faith. The art of the north is something
that art students admire; hence they don't miss it, can't forget it, and wouldn't say it isn't so.
The roses wilt, and they marry in May. A gold mine is open. "I've seen it," he'd say, "and they'd
laugh." Who'd have thought? I hope not. It's five o'clock, we're the greatest, the finest, the
nearest. You know not only him but also her. The ne'er-do-well must digest his breakfast first, or
lest he protest, arrest the rest. Kenneth and Seth invest with interest.
"""

FALSE_FRIENDS = """
    best rest honest forest west guest priest teeth beneath breath death faith Elizabeth
    Macbeth north hence must lest quest request interest harvest digest earnest modest tempest
    nest test first last lost against almost dust jest Kenneth Seth art wilt mine breast midst
    amidst thirst twist protest manifest invest conquest mouth youth truth
""".split()


@pytest.mark.parametrize("pair", PAIRS)
def test_modernises(pair):
    old, new = (side.strip() for side in pair.split("|"))
    assert modernise(old) == new
    assert modernise(new) == new


@pytest.mark.parametrize("word", FALSE_FRIENDS)
def test_false_friends_stay(word):
    assert modernise(word) == word
    assert modernise(f"The {word}, and a {word}.") == f"The {word}, and a {word}."
    assert modernise(f"thou {word}").endswith(word) or word in lexicon.AUXILIARY_BEFORE_THOU


def test_leaves_modern_english_alone():
    assert modernise(MODERN) == MODERN
    assert modernise(MODERN.replace("'", "’")) == MODERN.replace("'", "’")
    assert modernise("") == ""


@pytest.mark.parametrize(
    "old, new",
    [
        ("Thou", "You"),
        ("THOU ART", "YOU ARE"),
        ("Methinks", "I think"),
        ("METHINKS", "I THINK"),
        ("O'er", "Over"),
        ("’Tis thou, belov’d", "It’s you, beloved"),
        ("Know'st thou?", "Do you know?"),
        ("and I pray you go", "and please go"),
        ("'Ay,'", "'Yes,'"),
    ],
)
def test_keeps_the_case_and_the_apostrophes(old, new):
    assert modernise(old) == new


def test_keeps_lines_spaces_and_speakers():
    text = (
        "Apothecary:\nWho calls--  so loud?\n\n\tThou\n art,\r\n(thy) [hath]!?;\n\nKnave:\nAnon.\n"
    )
    modern = (
        "Apothecary:\nWho calls--  so loud?\n\n\tYou\n are,\r\n(your) [has]!?;\n\nKnave:\nSoon.\n"
    )
    assert modernise(text) == modern
    assert slangify("Servant:\nAy, sir.\n") == "Servant:\nYep, bro.\n"


@pytest.mark.parametrize(
    "stem, verb",
    [
        ("know", "know"),
        ("lov", "love"),
        ("cri", "cry"),
        ("li", "lie"),
        ("runn", "run"),
        ("macb", None),
    ],
)
def test_finds_the_verb(stem, verb):
    assert verb_of(stem) == verb


def test_spells():
    verbs = "love go cry pass teach fix play have buzz wish".split()
    expected = "loves goes cries passes teaches fixes plays has buzzes wishes".split()
    assert [third_person(verb) for verb in verbs] == expected
    stems = "lov banish deny play drop bow cheque stopp".split()
    expected = "loved banished denied played dropped bowed chequed stopped".split()
    assert [past(stem) for stem in stems] == expected


def test_splits_verbs():
    assert [split(word) for word in "know knows knew cries loved nonsense".split()] == [
        ("do", "know"),
        ("does", "know"),
        ("did", "know"),
        ("does", "cry"),
        ("did", "love"),
        None,
    ]


def test_needs_thou_where_a_superlative_is_meant():
    assert second_person("meanest") == "mean"
    assert second_person("meanest", beside_thou=False) is None
    assert second_person("priest") is None


def test_keeps_the_case():
    assert [like(old, "soon") for old in ("anon", "Anon", "ANON")] == ["soon", "Soon", "SOON"]


@pytest.mark.parametrize(
    "old, new",
    [
        ("Good morrow, my lord.", "Yo, my dude."),
        ("I know not.", "No idea."),
        ("Farewell, sweet coz!", "Peace out, sweet cuz!"),
        ("I know not where thou art.", "No idea where you are."),
        ("Fare thee well, sirrah.", "Peace out, lad."),
        ("How now, sir?", "What's up, bro?"),
        ("Alack, thou art mad!", "Big yikes, you are bonkers!"),
        ("Ay, by my troth.", "Yep, not gonna lie."),
        ("He is banish'd", "He is cancelled"),
        ("What sayest thou?", "Whatcha say?"),
        ("I thank thee.", "Cheers, mate."),
        ("MY LORD", "MY DUDE"),
    ],
)
def test_slangifies(old, new):
    assert slangify(old) == new


def test_the_lexicon_is_large_and_settled():
    assert len(lexicon.WORDS) > 600
    assert len(lexicon.SLANG) > 200
    assert all(entry == entry.lower() for entry in lexicon.WORDS | lexicon.SLANG)
    changed = {
        old: (new, modernise(new)) for old, new in lexicon.WORDS.items() if modernise(new) != new
    }
    assert not changed


def test_time_grows_with_the_length_only():
    start = time.perf_counter()
    slangify("Know'st thou not, thou knave, that he loveth thee not? " * 10000)
    slangify("thou " * 50000 + "a" * 50000 + "'" * 50000)
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize("text", ["thy ſelf, İ pray you", "Iſ it ſo?"])
def test_letters_that_match_only_without_case_leave_the_text_alone(text):
    """The patterns ignore case, so ſ matches s and İ matches i; the lexicon has neither."""
    assert modernise(text) == text
    assert slangify(text) == text
