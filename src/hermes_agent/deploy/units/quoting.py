"""Values as systemd and launchd read them back.

Sources: systemd.syntax(7) and systemd.service(5), "Quoting" and "Command lines"; systemd.unit(5),
"Specifiers"; XML 1.0, section 2.4.
"""

from hermes_agent.domain.errors import HermesError


class Unquotable(HermesError):
    """A value that no unit file can hold."""


def quoted(value: str) -> str:
    """One word of a list, an environment assignment or a path. Raises `Unquotable`."""
    return '"' + plain(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def program(value: str) -> str:
    """The program of a command line: nothing in it is taken for a variable.

    Raises `Unquotable`, for quotes and backslashes too: systemd runs no program with such a name.
    """
    if any(sign in value for sign in "\"'\\"):
        raise Unquotable(
            f"systemd runs no program with quotes or backslashes in its path: {value}",
            hint="Rename the file or folder.",
        )
    return ":" + quoted(value)


def plain(value: str) -> str:
    """Running text: only the specifiers' sign is special. Raises `Unquotable`."""
    # A control character would end the line, and the rest would be a setting of its own.
    if not value.isprintable():
        raise Unquotable(
            f"No unit can be written for {value!r}: it has characters that cannot be printed",
            hint="Rename the file or folder.",
        )
    return value.replace("%", "%%")


def bare(path: str) -> str:
    """A path in a setting that takes the rest of the line as it is. Raises `Unquotable`."""
    if path != path.strip() or path.endswith("\\"):
        raise Unquotable(f"No unit can be written for the path {path!r}")
    return plain(path)


def xml(value: str) -> str:
    """The text of an element. Raises `Unquotable`."""
    # It brings all of urllib along, at every start of a service.
    from xml.sax.saxutils import escape

    plain(value)
    return escape(value)
