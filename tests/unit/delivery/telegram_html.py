"""Telegram's own rules for HTML, checked the way its server does: strictly."""

from html.parser import HTMLParser

ALLOWED = {"b", "i", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler"}


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.opened: list[str] = []
        self.text: list[str] = []
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, tag
        if tag == "a":
            assert [name for name, _ in attrs] == ["href"]
            self.hrefs.append(str(attrs[0][1]))
        elif tag == "code" and attrs:
            assert self.opened[-1] == "pre"
            assert [name for name, _ in attrs] == ["class"]
            assert str(attrs[0][1]).startswith("language-")
        else:
            assert not attrs
        if tag == "blockquote":
            assert "blockquote" not in self.opened
        self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def checked(html: str) -> tuple[str, list[str]]:
    """The text that people see and the addresses of the links; fails on what Telegram refuses."""
    checker = _Checker()
    checker.feed(html)
    checker.close()
    assert checker.opened == []
    assert not any(sign in html.replace("<", "", html.count("<")) for sign in "\0\x1b")
    return "".join(checker.text), checker.hrefs
