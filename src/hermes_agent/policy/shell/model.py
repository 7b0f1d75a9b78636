"""A shell command as plain data: what is left when quoting, nesting and wrappers are undone."""

from typing import Literal

import msgspec

DoubtKind = Literal["syntax", "depth", "alias", "heredoc", "expansion"]


class Word(msgspec.Struct, frozen=True):
    """One argument after quote removal.

    `text` is exact unless `dynamic`; then the parts known only at run time stand in it as they
    were written (`$x/lib`). `splits` means that it may become several words or none. `pattern` is
    set when the word globs: as for `fnmatch`, with quoted wildcards escaped. `process` marks a
    process substitution; `feeds` are the commands inside it, as indexes into `Script.commands`.
    """

    text: str
    dynamic: bool = False
    splits: bool = False
    pattern: str | None = None
    process: bool = False
    feeds: tuple[int, ...] = ()


class Redirect(msgspec.Struct, frozen=True):
    """`operator` as written (`>`, `>>`, `<`, `&>`, `>|`, `<>`, `>&`, …); `fd` None if not named.

    Here-documents and here-strings are not redirects but `Command.stdin`.
    """

    operator: str
    target: Word
    fd: int | None = None

    @property
    def writes(self) -> bool:
        """Whether a file is opened for writing."""
        if self.operator in (">&", "<&"):
            return not (self.target.text.isdigit() or self.target.text in ("-", ""))
        return ">" in self.operator


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A simple command. `argv` is empty for a bare redirect or assignment.

    `cwd` is where it would run, None when that is known only at run time. `stdin` is the text of
    a here-document or here-string. `upstream` are the commands whose output is piped into it, as
    indexes into `Script.commands`. `via` are the wrappers it was found inside of, outermost first
    (`sudo`, `xargs`, `bash`, `ssh`, …). `opaque` says that it is a wrapper or a shell whose inner
    command is known only at run time. `source` is how it was written.
    """

    argv: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()
    assignments: tuple[tuple[str, Word], ...] = ()
    stdin: Word | None = None
    upstream: tuple[int, ...] = ()
    via: tuple[str, ...] = ()
    cwd: str | None = None
    opaque: bool = False
    source: str = ""

    @property
    def program(self) -> str:
        """The program's name without its directory, in lower case; "" if there is none."""
        return self.argv[0].text.rpartition("/")[2].lower() if self.argv else ""


class Doubt(msgspec.Struct, frozen=True):
    """Something that could not be read with certainty."""

    kind: DoubtKind
    sentence: str
    excerpt: str = ""


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """All simple commands of a text in source order, those of substitutions and nested shells
    included. `bombs` are functions that multiply themselves."""

    commands: tuple[Command, ...]
    doubts: tuple[Doubt, ...] = ()
    bombs: tuple[str, ...] = ()
