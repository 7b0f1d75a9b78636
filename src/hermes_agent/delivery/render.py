"""An answer in Markdown as the posts of a platform."""

from collections.abc import Sequence

from hermes_agent.delivery.capabilities import Capabilities
from hermes_agent.delivery.cleaning import clean_line, visible
from hermes_agent.delivery.dialects import VOICES
from hermes_agent.delivery.document import Atom, Paragraph, Run, atom, tree
from hermes_agent.delivery.packing import pack
from hermes_agent.delivery.parsing import parse
from hermes_agent.domain.chats import Attachment, Post

LEAST_NUMBERED = 80
"""Parts shorter than this are not numbered, nor are those of one line each."""


def render(
    markdown: str,
    capabilities: Capabilities,
    *,
    quotes: str | None = None,
    attachments: Sequence[Attachment] = (),
    numbered: bool = True,
) -> tuple[Post, ...]:
    """The posts that say this, in order; none for a blank text without attachments.

    Both texts of every post keep `capabilities.max_length`. A text is cut between blocks, else
    at lines, else at words; code goes on in a new block of its language, a table under its header
    again. `numbered` puts "(1/3)" under each of several parts. The first post quotes `quotes`.
    Attachments ride with the last text where a platform sends both at once, else they follow it,
    `capabilities.max_media` at a time; files that the platform cannot take are named instead.

    Any text gives valid markup, in time linear in its length. The same beginning gives the same
    parts but for the last, as far as Markdown lets a beginning be known before the end is.
    """
    takes = capabilities.media
    sent = tuple(each for each in attachments if each.kind in takes or "document" in takes)
    unsent = [f"(not sent: {_name(each)})" for each in attachments if each not in sent]
    atoms = parse(markdown, longest_link=capabilities.max_length // 4)
    atoms += (atom(Paragraph((Run(line),))) for line in unsent)
    posts = _texts(atoms, capabilities, numbered=numbered)
    batch = max(1, capabilities.max_media)
    batches = [sent[begin : begin + batch] for begin in range(0, len(sent), batch)]
    if posts and batches and VOICES[capabilities.dialect].together:
        last = posts[-1]
        posts[-1] = Post(text=last.text, plain=last.plain, attachments=batches.pop(0))
    posts += (Post(attachments=each) for each in batches)
    if posts and quotes is not None:
        first = posts[0]
        posts[0] = Post(
            text=first.text, plain=first.plain, attachments=first.attachments, quotes=quotes
        )
    return tuple(posts)


def _texts(atoms: list[Atom], capabilities: Capabilities, *, numbered: bool) -> list[Post]:
    voice = VOICES[capabilities.dialect]
    marked, plain = voice.marked, voice.plain
    limit = max(voice.least, capabilities.max_length)

    def written(part: Sequence[Atom]) -> Post:
        blocks = tree(part)
        return Post(text=marked.write(blocks), plain=plain.write(blocks))

    def fits(part: Sequence[Atom]) -> bool:
        blocks = tree(part)
        texts = (dialect.write(blocks) for dialect in (marked, plain))
        return all(
            length(text, capabilities.unit) <= limit and not (marked.one_line and "\n" in text)
            for text in texts
        )

    def whole() -> bool:
        return sum(each.size for each in atoms) <= limit and fits(atoms)

    if not atoms:
        return []
    if whole():
        parts = [atoms]
    elif marked.one_line or limit < LEAST_NUMBERED:
        parts = pack(atoms, fits, limit=limit)
        numbered = False
    else:
        # Room for the number is kept even without one, so that a growing answer, which is not
        # numbered yet, is cut where the finished one will be.
        digits, parts = 2, []
        while not parts or len(parts) >= 10**digits:
            digits += 1
            room = _label(10**digits - 1, 10**digits - 1)
            parts = pack(atoms, lambda part, room=room: fits([*part, room]), limit=limit)
    if numbered and len(parts) > 1:
        total = len(parts)
        parts = [[*part, _label(index, total)] for index, part in enumerate(parts, 1)]
    posts = (written(part) for part in parts)
    return [post for post in posts if visible(post.plain)]


def length(text: str, unit: str) -> int:
    """How long the platform finds the text; `unit` as in `Capabilities`."""
    if unit == "utf16":
        return len(text) + sum(character > "\uffff" for character in text)
    return len(text.encode()) if unit == "bytes" else len(text)


def _label(index: int, total: int) -> Atom:
    return atom(Paragraph((Run(f"({index}/{total})"),)))


def _name(attachment: Attachment) -> str:
    return clean_line(attachment.name or attachment.path.rpartition("/")[2])[:200]
