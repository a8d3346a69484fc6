// The words and punctuation marks of a line, as scratchvae.text.tokenize returns them: the rules
// of nltk's NLTKWordTokenizer.

const RULES = [
  [/([«“‘„]|`+)/g, " $1 "],
  [/^"/g, "``"],
  [/(``)/g, " $1 "],
  [/([ ([{<])("|'{2})/g, "$1 `` "],
  [/(?<!\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)/gi, "$1 "],
  [/([^.])(\.)([\])}>"'»”’ ]*)\s*$/g, "$1 $2 $3 "],
  [/([:,])([^\d])/g, " $1 $2"],
  [/([:,])$/g, " $1 "],
  [/\.{2,}/g, " $& "],
  [/[;@#$%&]/g, " $& "],
  [/[?!]/g, " $& "],
  [/([^'])' /g, "$1 ' "],
  [/[*]/g, " $& "],
  [/[\][(){}<>]/g, " $& "],
  [/--/g, " -- "],
  [/^|$/g, " "],
  [/([»”’])/g, " $1 "],
  [/''/g, " '' "],
  [/"/g, " '' "],
  [/\s+/g, " "],
  [/([^' ])('[sS]|'[mM]|'[dD]|') /g, "$1 $2 "],
  [/([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) /g, "$1 $2 "],
  [/\b(can)(not)\b/gi, " $1 $2 "],
  [/\b(d)('ye)\b/gi, " $1 $2 "],
  [/\b(gim|lem)(me)\b/gi, " $1 $2 "],
  [/\b(gon)(na)\b/gi, " $1 $2 "],
  [/\b(got)(ta)\b/gi, " $1 $2 "],
  [/\b(more)('n)\b/gi, " $1 $2 "],
  [/\b(wan)(na)(?=\s)/gi, " $1 $2 "],
  [/ ('t)(is|was)\b/gi, " $1 $2 "],
];

// Typographic quotes, dashes and dots, replaced by plain ones first.
const PLAIN = [
  [/[‘’‚‛′]/g, "'"],
  [/[“”„‟]/g, "\""],
  [/…/g, "..."],
  [/[‐‑‒–−]/g, "-"],
  [/[—―]/g, "--"],
  [/\s+/g, " "],
];

function applyRules(rules, text) {
  return rules.reduce((result, [pattern, by]) => result.replace(pattern, by), text);
}

function tokenize(line) {
  const sentences = applyRules(PLAIN, line).trim().split(/(?<=[.!?])\s+/);
  return sentences.flatMap(sentence => applyRules(RULES, sentence).split(/\s+/).filter(Boolean));
}
