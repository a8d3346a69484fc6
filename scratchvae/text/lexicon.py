"""Lexicon of Early Modern English and of slang, for scratchvae.text.modern.

All entries are in lower case; scratchvae.text.modern keeps the case of the text.
"""

PRONOUNS = {
    "thou": "you", "thee": "you", "ye": "you", "thy": "your", "thine": "yours",
    "thyself": "yourself", "thy self": "yourself", "thou'rt": "you're", "th'art": "you're",
    "thou'lt": "you'll", "thou'ldst": "you'd", "thou'dst": "you'd", "thou'ld": "you'd",
    "thou'st": "you've", "y'are": "you're", "y'have": "you've", "ye're": "you're",
    "ye'll": "you'll", "ye've": "you've", "ye'd": "you'd", "whoso": "whoever",
    "whosoever": "whoever", "whosoe'er": "whoever", "whomsoever": "whomever",
    "whatsoe'er": "whatever", "wheresoe'er": "wherever", "wheresoever": "wherever",
    "whensoever": "whenever", "howsoe'er": "however", "howsoever": "however",
    "whencesoever": "from wherever", "whithersoever": "wherever",
}

AUXILIARIES = {
    "hast": "have", "hath": "has", "hadst": "had", "ha't": "have it", "dost": "do", "doest": "do",
    "doth": "does", "didst": "did", "wert": "were", "wast": "were", "beest": "are",
    "shalt": "shall", "canst": "can", "couldst": "could", "could'st": "could", "wouldst": "would",
    "would'st": "would", "shouldst": "should", "should'st": "should", "mayst": "may",
    "may'st": "may", "mayest": "may", "mightst": "might", "might'st": "might", "mightest": "might",
    "oughtst": "ought", "oughtest": "ought", "durst": "dared", "darest": "dare", "dar'st": "dare",
    "needst": "need", "need'st": "need",
}

# Before or after thou only: elsewhere "art" is a noun, and "wilt" is what flowers do.
AUXILIARY_BEFORE_THOU = {"art": "are", "wilt": "will"}

PLACE_AND_TIME = {
    "hither": "here", "thither": "there", "whither": "where", "whence": "from where",
    "thence": "from there", "hitherward": "this way", "thitherward": "that way",
    "hereabout": "around here", "thereabout": "around there", "yon": "that", "yond": "that",
    "nigh": "near", "anigh": "near", "anear": "near", "athwart": "across", "betwixt": "between",
    "'twixt": "between", "'tween": "between", "afore": "before", "'fore": "before", "adown": "down",
    "unto": "to", "'gainst": "against", "'mongst": "among", "'mong": "among", "'bout": "about",
    "'bove": "above", "'neath": "beneath", "ere": "before", "anon": "soon", "oft": "often",
    "ofttimes": "often", "oft-times": "often", "oftentimes": "often", "betimes": "early",
    "erst": "once", "whilom": "once", "erewhile": "a while ago", "ere-while": "a while ago",
    "eftsoons": "soon after", "straightway": "at once", "thrice": "three times", "agone": "ago",
    "whiles": "while", "yesternight": "last night", "yestereve": "last evening",
    "yestermorn": "yesterday morning", "noontide": "noon", "eventide": "evening",
    "even-tide": "evening", "sennight": "week", "se'nnight": "week", "seven-night": "week",
    "twelvemonth": "year", "morrow": "morning", "apace": "quickly", "evermore": "forever",
}

HOW_AND_WHY = {
    "wherefore": "why", "whereof": "of which", "whereon": "on which", "whereat": "at which",
    "whereto": "to which", "whereunto": "to which", "wherewith": "with which", "thereat": "at that",
    "thereunto": "to it", "therewith": "with it", "therewithal": "with that", "hereunto": "to this",
    "withal": "as well", "sith": "since", "sithence": "since", "howbeit": "however",
    "perchance": "perhaps", "haply": "perhaps", "mayhap": "perhaps", "peradventure": "perhaps",
    "belike": "probably", "certes": "certainly", "verily": "truly", "forsooth": "indeed",
    "iwis": "certainly", "fain": "gladly", "lief": "gladly", "perforce": "by force",
    "inly": "inwardly", "aright": "rightly", "asunder": "apart", "mickle": "much", "enow": "enough",
    "naught": "nothing", "nought": "nothing", "aught": "anything", "scantly": "hardly",
    "meetly": "fittingly", "bootlessly": "in vain", "maugre": "despite", "otherwhere": "elsewhere",
    "nathless": "nevertheless",
}

ANSWERS_AND_CRIES = {
    "ay": "yes", "aye": "yes", "yea": "yes", "nay": "no", "prithee": "please", "pr'ythee": "please",
    "pray'ee": "please", "beseech": "beg", "methinks": "I think", "methinketh": "I think",
    "methought": "I thought", "methoughts": "I thought", "meseems": "it seems to me",
    "meseemeth": "it seems to me", "alack": "alas", "lo": "look", "hark": "listen", "fie": "shame",
    "tush": "nonsense", "pish": "nonsense", "avaunt": "away", "gramercy": "thank you",
    "zounds": "damn it", "'zounds": "damn it", "'swounds": "damn it", "'sblood": "damn it",
    "'sdeath": "damn it", "'slid": "damn it", "welladay": "alas", "well-a-day": "alas",
    "lackaday": "alas", "hollo": "hello", "holla": "hello", "holloa": "hello",
    "heigh-ho": "oh well", "begone": "go away", "sirrah": "lad", "goodman": "master",
    "coz": "cousin", "nuncle": "uncle",
}

PEOPLE = {
    "kinsman": "relative", "kinsmen": "relatives", "kinswoman": "relative",
    "grandsire": "grandfather", "grandsires": "grandfathers", "grandam": "grandmother",
    "beldam": "old woman", "wench": "girl", "wenches": "girls", "stripling": "youth",
    "younker": "youngster", "youngling": "youngster", "swain": "lad", "swains": "lads",
    "knave": "rascal", "knaves": "rascals", "knavery": "mischief", "knavish": "mischievous",
    "varlet": "scoundrel", "varlets": "scoundrels", "churl": "boor", "churls": "boors",
    "churlish": "rude", "caitiff": "wretch", "caitiffs": "wretches", "recreant": "coward",
    "recreants": "cowards", "dastard": "coward", "dastards": "cowards", "poltroon": "coward",
    "leman": "lover", "strumpet": "whore", "strumpets": "whores", "trull": "whore", "bawd": "pimp",
    "bawds": "pimps", "wittol": "cuckold", "apothecary": "pharmacist", "'pothecary": "pharmacist",
    "chirurgeon": "surgeon", "scrivener": "clerk", "tapster": "barman", "tapsters": "barmen",
    "ostler": "groom", "cutpurse": "pickpocket", "cut-purse": "pickpocket", "gentles": "gentlefolk",
    "liege": "lord", "lieges": "lords", "cozener": "cheat", "cozeners": "cheats",
    "bondman": "slave", "bondmen": "slaves", "losel": "scoundrel",
}

THINGS = {
    "sooth": "truth", "troth": "faith", "verity": "truth", "visage": "face", "visages": "faces",
    "corse": "corpse", "corses": "corpses", "steed": "horse", "steeds": "horses",
    "palfrey": "horse", "palfreys": "horses", "kine": "cattle", "poniard": "dagger",
    "bodkin": "dagger", "welkin": "sky", "orison": "prayer", "orisons": "prayers", "eyne": "eyes",
    "pate": "head", "pates": "heads", "noddle": "head", "bourn": "boundary", "fardel": "burden",
    "fardels": "burdens", "burthen": "burden", "burthens": "burdens", "burthenous": "burdensome",
    "guerdon": "reward", "meed": "reward", "habiliments": "clothes", "habiliment": "clothing",
    "raiment": "clothing", "doublet": "jacket", "doublets": "jackets", "kirtle": "gown",
    "alarum": "alarm", "alarums": "alarms", "'larum": "alarm", "'larums": "alarms",
    "physic": "medicine", "poesy": "poetry", "ensample": "example", "maidenhead": "virginity",
    "dotage": "senility", "puissance": "power", "ignomy": "shame", "weal": "welfare",
    "scathe": "harm", "usance": "interest", "cozenage": "cheating", "viands": "food",
    "victuals": "food", "victual": "food", "trencher": "plate", "trenchers": "plates",
    "flagon": "jug", "sepulchre": "tomb", "sepulchres": "tombs", "charnel": "burial",
    "gyves": "shackles", "argosy": "great ship", "argosies": "great ships", "behoof": "benefit",
    "bruit": "rumour", "contumely": "insult", "fealty": "loyalty", "ague": "fever",
    "agues": "fevers", "murrain": "plague", "'havior": "behaviour", "haviour": "behaviour",
}

QUALITIES = {
    "afeard": "afraid", "affrighted": "frightened", "aweary": "weary", "bootless": "useless",
    "froward": "stubborn", "jocund": "cheerful", "malapert": "impudent", "puissant": "powerful",
    "wonted": "usual", "doughty": "brave", "ill-favoured": "ugly", "ill-favour'd": "ugly",
    "ill-favouredly": "in an ugly way", "fell'st": "cruellest", "direful": "dreadful",
    "bounteous": "generous", "plenteous": "plentiful", "beauteous": "beautiful",
    "piteous": "pitiful", "lovesome": "lovely", "gladsome": "glad", "darksome": "dark",
    "noisome": "foul", "sottish": "foolish", "accursed": "cursed", "accurs'd": "cursed",
    "accurst": "cursed", "curst": "cursed", "prest": "ready", "ycleped": "called",
    "yclept": "called", "clept": "called", "yclad": "clad", "drest": "dressed", "blest": "blessed",
    "opprest": "oppressed", "vext": "vexed", "stopt": "stopped", "dropt": "dropped",
    "slipt": "slipped", "tost": "tossed", "mixt": "mixed", "fixt": "fixed", "crost": "crossed",
    "betroth'd": "engaged", "enamoured": "in love", "enamour'd": "in love", "wroth": "angry",
    "besmirched": "stained", "bedimmed": "darkened", "loathly": "disgusting", "nether": "lower",
    "uttermost": "utmost", "divers": "several",
}

DEEDS = {
    "saith": "says", "quoth": "said", "spake": "spoke", "sware": "swore", "clomb": "climbed",
    "holp": "helped", "holpen": "helped", "wist": "knew", "wot": "know", "wots": "knows",
    "wotting": "knowing", "trow": "believe", "ween": "think", "weens": "thinks", "hie": "hurry",
    "hies": "hurries", "hied": "hurried", "tarry": "wait", "tarries": "waits", "tarried": "waited",
    "tarrying": "waiting", "chide": "scold", "chides": "scolds", "chid": "scolded",
    "chidden": "scolded", "chiding": "scolding", "cozen": "cheat", "cozens": "cheats",
    "cozened": "cheated", "cozen'd": "cheated", "cozening": "cheating", "affright": "frighten",
    "affrights": "frightens", "affray": "frighten", "espy": "spot", "espied": "spotted",
    "espies": "spots", "descry": "spot", "descried": "spotted", "descries": "spots",
    "entreat": "beg", "entreated": "begged", "entreating": "begging", "beseeching": "begging",
    "beseeched": "begged", "besought": "begged", "gainsay": "deny", "gainsaid": "denied",
    "forswear": "renounce", "forswears": "renounces", "forswore": "renounced", "behold": "see",
    "beholds": "sees", "vouchsafe": "grant", "vouchsafes": "grants", "vouchsafed": "granted",
    "bewray": "reveal", "bewrayed": "revealed", "prate": "chatter", "prates": "chatters",
    "prating": "chattering", "prated": "chattered", "smite": "strike", "smites": "strikes",
    "smote": "struck", "swoon'd": "fainted", "swound": "faint", "shrive": "absolve",
    "shriven": "absolved", "shrived": "absolved", "mislike": "dislike", "mislikes": "dislikes",
    "misdoubt": "distrust", "misdoubts": "distrusts", "hearken": "listen", "hearkens": "listens",
    "hearkened": "listened", "hearken'd": "listened", "betake": "take", "surcease": "stop",
    "bethink": "consider", "bethought": "thought", "betide": "happen", "betides": "happens",
    "betid": "happened", "behoves": "befits", "dissever": "separate", "environ": "surround",
    "doff": "take off", "gat": "got", "purloin": "steal", "purloin'd": "stolen",
    "purloined": "stolen", "sunder": "separate", "sunder'd": "separated", "sundered": "separated",
    "forbear": "hold back", "forbore": "held back", "wax'd": "grew", "madst": "made",
    "'scape": "escape", "'scaped": "escaped", "'scapes": "escapes", "scape": "escape",
    "scaped": "escaped", "'longs": "belongs", "'longeth": "belongs", "'greed": "agreed",
    "'nointed": "anointed", "'voided": "avoided", "'scap'd": "escaped", "swoln": "swollen",
    "lade": "load",
}

CONTRACTIONS = {
    "'tis": "it's", "'twas": "it was", "'twere": "it were", "'twill": "it will",
    "'twould": "it would", "'twould've": "it would have", "'tisn't": "it isn't",
    "'twasn't": "it wasn't", "'t": "it", "an't": "if it",

    "t'other": "the other", "th'": "the", "i'": "in", "o'": "of", "wi'": "with", "gi'": "give",
    "ha'": "have", "a'": "he", "o'er": "over", "ne'er": "never", "e'er": "ever", "e'en": "even",
    "ev'n": "even", "ev'ry": "every", "ta'en": "taken", "mista'en": "mistaken",
    "overta'en": "overtaken", "underta'en": "undertaken", "i'ld": "I'd", "he'ld": "he'd",
    "she'ld": "she'd", "you'ld": "you'd", "we'ld": "we'd", "they'ld": "they'd", "it'ld": "it'd",
    "court'sy": "curtsy", "curt'sy": "curtsy", "court'sies": "curtsies", "heav'n": "heaven",
    "heav'nly": "heavenly", "pow'r": "power", "flow'r": "flower", "flow'rs": "flowers",
    "tow'r": "tower", "tow'rs": "towers", "pow'rs": "powers", "show'r": "shower",
    "show'rs": "showers", "whe'r": "whether", "whe'er": "whether", "rev'rend": "reverend",
    "dang'rous": "dangerous", "gen'ral": "general", "en'my": "enemy", "int'rest": "interest",
    "sov'reign": "sovereign", "by'r": "by our",
}

PHRASES = {
    # greetings and farewells
    "good morrow": "good morning", "give you good morrow": "good morning",
    "good even": "good evening", "god-den": "good evening", "god ye good den": "good evening",
    "good den": "good evening", "fare thee well": "farewell", "fare you well": "farewell",
    "fare ye well": "farewell", "well met": "good to see you", "what ho": "hello there",
    "how now": "what now", "how dost thou?": "how are you?", "how dost thou,": "how are you,",
    "how dost?": "how are you?", "canst not": "cannot", "how fares": "how is",
    "how fare you": "how are you", "what cheer": "how are things", "god save thee": "God save you",
    "by your leave": "with your permission",
    # asking and pleading
    "i prithee": "please", "beseech you,": "I beg you,", "i beseech you": "I beg you",
    "do beseech you": "do beg you", "me beseech you": "me beg you",
    "humbly beseech you": "humbly beg you", "i pray you all": "please, all of you",
    "i pr'ythee": "please", "i pray thee": "please", "i pray you": "please", "i pray ye": "please",
    "pray you": "please", "pray thee": "please", "pray ye": "please",
    "i do beseech thee": "I beg you", "cry you mercy": "I beg your pardon",
    "i cry you mercy": "I beg your pardon", "i cry thee mercy": "I beg your pardon",
    "god-a-mercy": "thank you", "grant me leave": "allow me", "give me leave": "allow me",
    "an't please": "if it please", "so please you": "if you please",
    "what say you": "what do you say", "what think you": "what do you think",
    "how think you": "what do you think", "what mean you": "what do you mean",
    "what know you": "what do you know", "what would you": "what do you want",
    "what would'st thou": "what do you want", "what wouldst thou": "what do you want",
    "what wilt thou": "what will you", "how say you": "what do you say",
    "whence come you": "where do you come from", "whence are thou": "where are you from",
    "whence do you come": "where do you come from",
    "whence did you come": "where did you come from", "whither do you go": "where are you going",
    "whither away": "where are you going", "whither go you": "where are you going",
    "how came you": "how did you come", "what's o'clock": "what time is it",
    "what news with": "what is new with",
    # moving
    "get thee gone": "go away", "get you gone": "go away", "get thee": "get yourself",
    "hie thee": "hurry", "hie you": "hurry", "hie thee hence": "hurry away",
    "sit thee down": "sit down", "sit thee": "sit", "sit you down": "sit down",
    "stand thee by": "stand aside", "stay thee": "stay", "haste thee": "hurry",
    "make haste": "hurry up", "come thy ways": "come along", "go thy ways": "off you go",
    "come your ways": "come along", "go your ways": "off you go", "get thee hence": "go away",
    "get you hence": "go away", "get thee away": "go away", "go hence": "go away",
    "gone hence": "gone away", "from hence": "from here", "part hence": "leave here",
    "depart hence": "leave here", "fly hence": "flee from here", "away hence": "away from here",
    "bear hence": "take away", "bear him hence": "take him away", "take him hence": "take him away",
    "bear her hence": "take her away", "convey him hence": "take him away",
    "hence from": "away from", "from whence": "from where", "from thence": "from there",
    "hither and thither": "here and there", "come hither": "come here", "hence!": "away!",
    "must hence": "must go", "will hence": "will go", "will you hence": "will you go",
    "i'll hence": "I'll go", "them hence away": "them away", "let's hence": "let's leave",
    "let us hence": "let us leave", "you hence": "you from here", "thee hence": "you from here",
    "him hence": "him away", "her hence": "her away", "them hence": "them away",
    "me hence": "me away", "hither to": "here to",
    # swearing and affirming
    "by my troth": "honestly", "in troth": "in truth", "good troth": "honestly",
    "in good troth": "honestly", "o' my troth": "honestly", "in sooth": "in truth",
    "in good sooth": "in truth", "good sooth": "truly", "i' faith": "honestly",
    "i'faith": "honestly", "by my faith": "honestly", "by my fay": "honestly",
    "by'r lady": "by our Lady", "by'r lakin": "by our Lady", "god's wounds": "damn it",
    "god wot": "God knows", "i trow": "I believe", "trow you": "do you believe",
    "i wis": "certainly", "i ween": "I think", "i warrant you": "I assure you",
    "i warrant thee": "I assure you", "i'll warrant": "I bet", "i warrant": "I bet",
    "i warrant her": "I assure you", "i warrant him": "I assure you", "ay me": "oh dear",
    "ah me": "oh dear", "woe is me": "poor me", "alack the day": "alas", "alas the day": "alas",
    "a plague upon": "a plague on", "fie upon": "shame on", "fie on": "shame on",
    "fie, fie": "shame, shame", "out upon": "shame on", "out on thee": "shame on you",
    "but soft": "but wait", "soft you": "wait", "hark you": "listen", "hark ye": "listen",
    "hark thee": "listen", "hark to": "listen to", "lo you": "look", "ay, marry": "yes, indeed",
    "nay, marry": "no, indeed",
    # time and degree
    "for aye": "for ever", "ere long": "before long", "or ere": "before", "or e'er": "before",
    "ere yet": "before", "ere now": "before now", "ere't": "before it",
    "on the morrow": "the next day", "e'en now": "just now", "ever and anon": "every now and then",
    "full oft": "very often", "ere while": "a while ago", "in faith,": "honestly,",
    "many moe": "many more", "well nigh": "nearly", "well-nigh": "nearly", "in twain": "in two",
    "in sunder": "apart", "be twain": "be apart", "ne'er a whit": "not at all",
    "'twas wont to": "it used to", "is't meet": "is it right", "passing fair": "very beautiful",
    "passing well": "very well", "full many a": "many a", "right well": "very well",
    "right glad": "very glad", "right sorry": "very sorry", "right welcome": "very welcome",
    "no whit": "not at all", "not a whit": "not at all", "every whit": "every bit",
    "such-like": "such", "ne'er a": "not a", "never a": "not a", "nothing loath": "quite willing",
    # being willing and being used to
    "had as lief": "would as soon", "had lief": "would gladly", "were wont to": "used to",
    "was wont to": "used to", "wast wont to": "used to", "wert wont to": "used to",
    "is wont to": "tends to", "are wont to": "tend to", "i had liefer": "I would rather",
    "it is meet": "it is right", "'tis meet": "it's right", "is it meet": "is it right",
    "it boots not": "it is no use", "it boots thee not": "it is no use",
    "it likes me not": "I do not like it", "it likes me well": "I like it well",
    "if thou be'st": "if you are", "an if": "if", "an thou": "if you", "an you": "if you",
    "an ye": "if you", "an a'": "if he", "an he": "if he", "an she": "if she", "an they": "if they",
    "an we": "if we", "were't not": "were it not", "woe betide": "woe to",
    # letters that were dropped, and others that were not
    "i' the": "in the", "i' th'": "in the", "i'th'": "in the", "i'the": "in the",
    "o' the": "of the", "o' th'": "of the", "o'th'": "of the", "o'the": "of the",
    "t' the": "to the", "to th'": "to the", "a' god's name": "in God's name",
    "an hundred": "a hundred", "an hair": "a hair", "an host": "a host", "an house": "a house",
    "an happy": "a happy", "an hasty": "a hasty", "an humble": "a humble", "an heart": "a heart",
    "an one": "a one", "such an one": "such a one", "ne'er-do-well": "ne'er-do-well",
    "to-day": "today", "to-night": "tonight", "to-morrow": "tomorrow", "on 's": "on his",
}

# The words that may follow an article.
DESCRIPTIONS = PEOPLE | THINGS | QUALITIES

WORDS = (PRONOUNS | AUXILIARIES | PLACE_AND_TIME | HOW_AND_WHY | ANSWERS_AND_CRIES
         | DESCRIPTIONS | DEEDS | CONTRACTIONS | PHRASES)

# Verbs that may have the endings -est, -eth and -'d.
VERBS = frozenset("""
    abandon abet abhor abide abound abuse accept accompany account accuse ache act add admire admit
    adore adorn advance advise affect afford agree aid ail aim allow alter amaze amend anger answer
    appear applaud apply appoint approach approve arise arm arrive ask aspire assail assist assure
    attain attempt attend avoid awake back banish bar bathe bear beat become befall befit beg beget
    begin beguile behave behold believe belong bend beseech bestow betray bid bind bite blame bleed
    bless blow blush boast bode boil bound bow brag brawl break breathe breed bring broach bruise
    build burn burst bury buy call care carry cast catch cause cease challenge change charge charm
    chase cheer cherish chide choke choose claim clasp cleave climb cling cloak close clothe come
    comfort command commend commit communicate compare compel complain conceal conceive concern
    conclude condemn confess confirm confound conjure conquer consent consider consort conspire
    construe consume contain content continue contrive convey cool cope corrupt counsel count
    counterfeit couple cover covet crave crawl create creep crouch crown cry cuff curse cut dally
    damn dance dare darken deal deceive declare decline decree defend defy delay delight deliver
    demand deny depart depend deprive descend describe deserve desire despair despise destroy detect
    devise devour die dine direct discern discharge disclose discover disdain disguise dishonour
    dismiss dispatch display dispose dissemble dissuade distil divide do doom dote doubt drag draw
    dream dress drink drive droop drop drown dry dull dwell ease eat embrace employ enclose
    encompass encounter encourage end endure enforce engender enjoy ensnare ensue enter entertain
    entice envy err escape esteem exceed excel excuse execute exhort exist expect express extol fail
    faint fall fancy fare favour fawn fear feast feed feel feign fetch fight fill find finish fit
    fix flatter flee fling float flourish flout flow fly follow forbid force foretell forget forgive
    forsake forswear frame freeze fret frown fulfil furnish gain gape gather gaze get give glance
    glide glory glow go govern grace graft grant greet grieve groan grope grow grudge guard guess
    guide hail halt hang happen hasten hate haunt have heal hear heat help hide hinder hit hold
    honour hope howl hug hunt hurl hurt imagine impart import incense incline increase infect infer
    inform inherit inquire insult intend invite issue jest join joy judge jump keep kill kindle kiss
    kneel knit knock know labour lack lance laugh lay lead lean leap learn leave lend let lie lift
    light like limp linger list listen live loathe lodge long look loose lose love lower lurk
    maintain make mar march mark marry marvel mask matter mean measure meddle meet melt mend mention
    merit mind mingle miscarry misdoubt mislead miss mistake mistrust misuse mock mount mourn move
    murder murmur muse mutter name need neglect nod note nourish nurse obey observe obtain offend
    offer open oppose oppress ordain overcome overhear owe own paint pant pardon part pass pause pay
    peep peer perceive perform perish permit persuade pierce pine pitch pity place plant play plead
    please pluck point possess pour pout praise prate pray preach prefer prepare presage present
    preserve press presume pretend prevail prevent prick proceed proclaim procure profane profess
    profit promise prompt pronounce protect prove provide provoke publish pull punish purchase purge
    purpose pursue put quake quench question quit quiver rage rail rain raise range reach read reap
    rebel receive reckon recount redeem refuse regard reign reject rejoice relate relent relieve
    rely remain remember remove rend repay repeal repent repine reply report repose reprove require
    resemble resist resolve respect rest restore restrain retain retire return reveal revenge
    reverence revive reward ride ring rise rive roar roll root rouse rule run rush sail salute save
    savour say scald scape scar scatter scold scorn scour scratch seal search seat see seek seem
    seize sell send serve set sever shake shame shape share shed shine shoot show shrink shrug shun
    shut sigh sin sing sink sit slander sleep slide slip slumber smart smell smile smite smother
    snatch soar sob sound sow spare speak spend spill spit split spoil sport spot sprawl spread
    spring spur spurn stab stain stamp stand stare start starve stay steal step stick sting stink
    stir stoop stop storm strain stray strengthen stretch strew strike strive stroke struggle study
    stuff stumble subdue submit succeed suck sue suffer suffice suit summon suppose suppress surpass
    survey suspect sustain swagger swallow sway swear sweat sweep swell swim swing take talk tame
    tarry taste taunt teach tear tell tempt tend term thank think threaten thrive throb throw thrust
    thunder tickle tie tire toil torment toss touch trace trade train trample travel tread treat
    tremble trim trip triumph trouble trow trust try tumble turn urge use usurp utter value vanish
    vary vaunt venture vex view visit vouch vow wage wail wait wake walk wander want war warm warn
    warrant wash waste watch wax wear weary wed weep weigh welcome whet whine whip whisper win wink
    wipe wish wither wonder woo work worship wound wrap wreak wrestle wring write wrong yearn
    yield""".split())

# Past tenses that do not end in -ed, for "camest thou" -> "did you come".
PASTS = {
    "arose": "arise", "ate": "eat", "bade": "bid", "beat": "beat", "became": "become",
    "began": "begin", "begot": "beget", "bent": "bend", "bit": "bite", "bled": "bleed",
    "blew": "blow", "bore": "bear", "bought": "buy", "bound": "bind", "bred": "breed",
    "broke": "break", "brought": "bring", "built": "build", "came": "come", "caught": "catch",
    "chid": "scold", "chose": "choose", "crept": "creep", "drank": "drink", "drew": "draw",
    "drove": "drive", "fed": "feed", "fell": "fall", "felt": "feel", "fled": "flee", "flew": "fly",
    "forgot": "forget", "forgave": "forgive", "forsook": "forsake", "fought": "fight",
    "found": "find", "gave": "give", "got": "get", "grew": "grow", "heard": "hear", "held": "hold",
    "hid": "hide", "holp": "help", "hung": "hang", "kept": "keep", "knelt": "kneel", "knew": "know",
    "laid": "lay", "led": "lead", "left": "leave", "lent": "lend", "lost": "lose", "made": "make",
    "meant": "mean", "met": "meet", "mistook": "mistake", "overheard": "overhear", "paid": "pay",
    "ran": "run", "rang": "ring", "rode": "ride", "rose": "rise", "said": "say", "sang": "sing",
    "sank": "sink", "sat": "sit", "saw": "see", "sent": "send", "shook": "shake", "shot": "shoot",
    "slept": "sleep", "slew": "slay", "smelt": "smell", "sold": "sell", "sought": "seek",
    "spake": "speak", "spent": "spend", "spoke": "speak", "sprang": "spring", "stole": "steal",
    "stood": "stand", "strove": "strive", "struck": "strike", "swam": "swim", "swept": "sweep",
    "swore": "swear", "taught": "teach", "thought": "think", "threw": "throw", "told": "tell",
    "took": "take", "tore": "tear", "trod": "tread", "understood": "understand", "wept": "weep",
    "went": "go", "woke": "wake", "won": "win", "wore": "wear", "wrought": "work", "wrote": "write",
}

# Verbs whose -est may also be a superlative ("the meanest wretch"), unless thou is beside it.
ALSO_ADJECTIVES = frozenset("""
    clear close content cool dear dry dull faint fell fit foul found light like long loose lower
    mean near open own smart sound tame warm weary wrong""".split())

# Words that look like a verb with -est, -eth or -st but are not.
FALSE_FRIENDS = frozenset("""
    best blest breast dearest digest divest earnest forest guest harvest honest inquest interest
    invest kenneth lest manifest modest nest priest protest quest request rest seth teeth tempest
    test west wrest""".split())

# Verbs that still stand before "not" ("I think not"), or that take no "do".
MODERN_BEFORE_NOT = frozenset("""
    best dare do fear guess had have hope let need said say suppose think thought""".split())

# Words that may stand between thou and its verb.
ADVERBS = """
    not ever never now still so but also too then thus here there alone only even yet always thyself
    once again well truly oft often all"""

# Before these, "thine" means yours; before other vowels it means your ("thine own").
NOT_AFTER_THINE = """
    a an and as at all alone also am any are art be by else ever has hath have he her here him his
    how i if in into indeed is it o of on only or our out over unto until up upon us"""

# Before these, "mine" means my; elsewhere it may be a gold mine.
MINE = """
    own eye eyes ear ears honou?r host enem(?:y|ies) uncle aunt arms? age oath office innocence
    heart humour integrity ancient ancestors armou?r absence ignorance inheritance interest intent
    authority hostess health old opinion only ease end edge acts? oratory adversar(?:y|ies) issue
    intents? heirs? uncles ire honesty honest eldest advocate actions? order innocency emulation
    art"""

# Before these, "yonder" means over there; before other words it means that.
NOT_THAT = """
    comes? is are was stands? stood sits? lies? he she they it in at on with and to where i we goes
    go walks? appears? shines? who"""

# Before these, "not" does not negate the verb: "I see not only ...".
SPLIT_NEGATION = """
    to only just merely because for but so as all every one even a an that yet always much many
    until till"""

# Today's slang for modernised text.
SLANG = {
    # greetings and farewells
    "good morning": "yo", "good evening": "evening", "good day": "hiya",
    "good night": "nighty night", "good to see you": "look who it is", "hello": "hey",
    "hello there": "hey you", "what now": "what's up", "how are you": "how's it going",
    "what news": "what's new", "what's the news": "what's new", "you are welcome": "no worries",
    "farewell": "peace out", "adieu": "see ya", "god be with you": "take care",
    "god save you": "bless you", "come here": "get over here", "go away": "get lost",
    "away with him": "get him out of here", "off you go": "off you pop",
    "come along": "let's bounce", "let us go": "let's bounce", "let's go": "let's bounce",
    "let's away": "let's bounce", "hurry": "hustle", "hurry up": "chop-chop",
    "at once": "right now", "before long": "in a bit", "soon": "in a sec", "quickly": "ASAP",
    # people
    "my lord": "my dude", "my lords": "my dudes", "my good lord": "my main man",
    "my gracious lord": "my main man", "my noble lord": "my main man",
    "my dear lord": "my main man", "your majesty": "the boss", "your highness": "the boss",
    "your grace": "the chief", "your lordship": "the boss man", "your honour,": "chief,",
    "your honour.": "chief.", "my lady": "girl", "madam": "ma'am", "good sir": "my guy",
    "sir": "bro", "sirs": "bros", "gentlemen": "guys", "gentleman": "classy guy",
    "masters": "folks", "good friends": "my peeps", "my friends": "my peeps", "friends": "mates",
    "friend": "mate", "cousin": "cuz", "fellow": "guy", "fellows": "guys", "villain": "creep",
    "villains": "creeps", "rascal": "punk", "rascals": "punks", "scoundrel": "sleazeball",
    "fool": "clown", "fools": "clowns", "coward": "chicken", "cowards": "chickens",
    "traitor": "backstabber", "traitors": "backstabbers", "enemy": "hater", "enemies": "haters",
    "wretch": "loser", "wretches": "losers", "husband": "hubby", "father": "dad", "mother": "mum",
    "grandfather": "grandpa", "grandmother": "gran", "sweetheart": "babe", "my love,": "babe,",
    "the people": "the crowd", "the king": "the big boss", "the queen": "the queen bee",
    "soldiers": "squad", "servant": "intern", "servants": "interns", "kinsman": "cuz",
    # saying yes, no and nothing much
    "yes": "yep", "no,": "nope,", "no.": "nope.", "no!": "nope!", "no;": "nope;",
    "indeed": "for real", "truly": "no cap", "in truth": "legit", "honestly": "not gonna lie",
    "certainly": "totally", "perhaps": "maybe", "i think": "I feel like", "i believe": "I reckon",
    "i do not know": "no idea", "i do not know him": "never met the guy",
    "i do not know her": "never met her", "i do not know you": "who even are you",
    "i do not care": "whatever", "it is no matter": "no biggie", "no matter": "no biggie",
    "it's no matter": "no biggie", "i assure you": "trust me", "i bet": "I bet",
    "i swear": "I kid you not", "do you not know": "don't you know",
    "what do you say": "whatcha say", "what do you think": "what's your take",
    "what do you want": "whatcha want", "what do you mean": "whaddya mean",
    "what is the matter": "what's the deal", "what's the matter": "what's the deal",
    "how so": "how come", "why so": "how come", "is it so": "no way",
    # manners
    "please,": "pretty please,", "if you please": "if you fancy", "i beg you": "come on",
    "pardon me,": "my bad,", "pardon me.": "my bad.", "welcome to": "come on in to",
    "noble lord": "main man", "i beg your pardon": "my bad", "forgive me": "my bad",
    "i am sorry": "my bad", "i'm sorry": "my bad", "thank you": "cheers",
    "i thank you": "cheers, mate", "thanks": "cheers", "many thanks": "cheers a bunch",
    "well said": "preach", "well done": "nailed it", "be patient": "chill", "be quiet": "zip it",
    "peace!": "shush!", "be content": "chill", "have patience": "chill", "fear not": "no stress",
    "never fear": "no stress", "listen": "listen up", "wait upon": "look after",
    "wait on": "look after", "wait for": "hang on for", "wait": "hang on", "alas": "big yikes",
    "oh dear": "yikes", "poor me": "I can't even", "shame on": "boo to", "nonsense": "as if",
    "damn it": "dang it", "o god": "OMG", "o heavens": "OMG", "good god": "OMG",
    "god forbid": "hard pass", "bravely": "like a boss",
    # how things are
    "beautiful": "gorgeous", "excellent": "awesome", "most excellent": "epic",
    "wonderful": "awesome", "marvellous": "awesome", "noble": "classy", "valiant": "fearless",
    "brave": "gutsy", "mad": "bonkers", "drunk": "wasted", "angry": "salty", "weary": "wiped out",
    "afraid": "freaked out", "foolish": "daft", "wicked": "shady", "false": "fake", "wise": "smart",
    "merry": "hyped", "melancholy": "moody", "in love": "head over heels", "very": "super",
    "the very": "the exact", "a very": "a total", "my very": "my own", "exceedingly": "crazy",
    "a great deal": "loads", "nothing": "zilch", "money": "cash", "gold": "bling",
    "jewels": "bling", "feast": "party", "banquet": "blowout", "revels": "party", "tavern": "pub",
    "prison": "the slammer", "gossip": "tea", "quarrel": "beef", "quarrels": "beefs",
    "reputation": "street cred", "vengeance": "payback", "revenge": "payback",
    "banished": "cancelled", "banish": "cancel", "banishment": "being cancelled", "sleep": "snooze",
    "slept": "snoozed", "flatter": "butter up", "deceive": "con", "deceived": "conned",
    "mock": "roast", "mocked": "roasted", "boast": "flex", "woo": "chat up", "wooed": "chatted up",
    # said faster
    "it is not": "it's not", "do not": "don't", "does not": "doesn't", "did not": "didn't",
    "will not": "won't", "shall not": "won't", "cannot": "can't", "i will not": "I'm not gonna",
    "i shall not": "I'm not gonna", "you shall not": "you're not gonna",
    "you will not": "you're not gonna", "i will be": "I'm gonna be",
    "i will have": "I'm gonna have", "i will go": "I'm gonna go", "i will tell": "I'm gonna tell",
    "i will make": "I'm gonna make", "i will give": "I'm gonna give",
    "you shall be": "you're gonna be", "you shall have": "you're gonna have", "i am not": "I'm not",
    "i am a": "I'm a", "i am the": "I'm the", "i have been": "I've been", "you are a": "you're a",
    "you are not": "you're not", "it was not": "it wasn't", "is not": "isn't", "are not": "aren't",
    "would not": "wouldn't", "should not": "shouldn't", "could not": "couldn't", "let us": "let's",
    "give me": "gimme", "want to": "wanna", "kind of": "kinda",
}
