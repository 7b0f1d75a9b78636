"""From what a person types to what the indexes understand."""

import re

_OPERATORS = {"AND", "OR", "NOT"}
_PIECES = re.compile(r'"([^"]*)"|(\S+)')
_PLAIN = re.compile(r"[^\W]+\Z")
# Thai, Lao, Burmese, Khmer, kana, CJK ideographs, Hangul: scripts that the word index cannot
# split. The same ranges stand in migrations/0003_substrings.sql.
UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)


def word_match(query: str) -> str | None:
    """An FTS5 expression that is always valid; None when the query holds no word.

    Balanced quotes make phrases, AND, OR and NOT between words work, `word*` finds beginnings.
    Other syntax is dropped, a word with a hyphen, dot or the like becomes a phrase.
    """
    if query.count('"') % 2:
        query = query.replace('"', " ")
    terms: list[str] = []
    for quoted, bare in _PIECES.findall(query):
        if bare in _OPERATORS:
            if terms and terms[-1] in _OPERATORS:
                terms.pop()
            if terms:
                terms.append(bare)
        elif term := _phrase(quoted) if quoted else _word(bare):
            terms.append(term)
    if terms and terms[-1] in _OPERATORS:
        terms.pop()
    return " ".join(terms) or None


def _word(text: str) -> str:
    bare = text.strip("+^*:(){}-'")
    if not any(character.isalnum() for character in bare):
        return ""
    star = "*" if text.endswith("*") else ""
    plain = bare.isascii() and _PLAIN.match(bare) and bare not in _OPERATORS
    return (bare if plain else _phrase(bare)) + star


def _phrase(text: str) -> str:
    cleaned = text.replace('"', " ").replace("\x00", " ")
    return f'"{cleaned}"' if any(character.isalnum() for character in cleaned) else ""


def literal_terms(query: str) -> list[str]:
    """The words and phrases of a query as they stand, operators left out."""
    found = [quoted or bare.strip("+^*:(){}") for quoted, bare in _PIECES.findall(query)]
    return [term.lower() for term in found if term.strip() and term not in _OPERATORS]


def trigram_match(terms: list[str]) -> str:
    """All trigrams of all terms; each term has at least three characters."""
    trigrams = {term[at : at + 3] for term in terms for at in range(len(term) - 2)}
    return " AND ".join(quoted(trigram) for trigram in sorted(trigrams))


def quoted(text: str) -> str:
    """A string of the expression language."""
    return '"' + text.replace('"', '""') + '"'


def excerpt(content: str, terms: list[str], words: int = 40) -> str:
    """About `words` words round the first match, every match marked."""
    pattern = re.compile("|".join(re.escape(term) for term in terms), re.IGNORECASE)
    first = pattern.search(content)
    at = first.start() if first else 0
    width = words * 6
    start = max(0, at - width // 2)
    piece = content[start : start + width]
    marked = pattern.sub(lambda match: f">>>{match[0]}<<<", piece)
    return ("…" if start else "") + marked + ("…" if start + width < len(content) else "")
