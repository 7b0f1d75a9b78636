"""The file tools at work on real files through a real environment."""

import codecs
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hermes_agent.tools.contract import Limits
from tests.unit.tools.room import bench


def contents(folder: Path) -> dict[str, str]:
    """Every file below the folder, but for the home that each test gets."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): file.read_text() for file in files}


async def test_reading_gives_numbered_lines_and_where_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\nthree\n")
    async with bench(tmp_path) as call:
        first = await call("read_file", path="a.txt", limit=2)
        assert first["content"] == "1|one\n2|two"
        assert first["total_lines"] == 3
        assert first["hint"] == "Lines 3 to 3 follow: offset=3."
        rest = await call("read_file", path="a.txt", offset=3)
        assert rest["content"] == "3|three"
        assert "hint" not in rest
        beyond = await call("read_file", path="a.txt", offset=9)
        assert "ends at line 3" in beyond["hint"]


async def test_a_name_that_is_not_there_gets_similar_names_of_what_may_be_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "settings.toml").touch()
    async with bench(tmp_path) as call:
        result = await call("read_file", path="setings.toml")
        assert f"{tmp_path}/settings.toml" in result["error"]
        other = await call("read_file", path="settings.yaml")
        assert f"{tmp_path}/settings.toml" in other["error"]


async def test_what_is_no_text_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (tmp_path / "prog").write_bytes(b"\x7fELF\x02\x01\x01\0\0\0")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    os.mkfifo(tmp_path / "pipe")
    async with bench(tmp_path) as call:
        assert "picture (PNG" in (await call("read_file", path="p.png"))["error"]
        assert "binary file (10 bytes)" in (await call("read_file", path="prog"))["error"]
        listing = await call("read_file", path="folder")
        assert "is a directory" in listing["error"]
        assert listing["entries"] == "inside"
        assert "not a regular file" in (await call("read_file", path="pipe"))["error"]


async def test_a_file_that_policy_hides_is_denied(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x")
    async with bench(tmp_path) as call:
        for name, arguments in {
            "read_file": {"path": "secret.txt"},
            "write_file": {"path": "secret.txt", "content": "y"},
            "patch": {"mode": "patch", "patch": "*** Delete File: secret.txt"},
        }.items():
            result = await call.result(name, **arguments)
            assert result.status == "denied"
    assert (tmp_path / "secret.txt").read_text() == "x"


async def test_the_same_read_warns_the_third_time_and_is_blocked_the_fourth(
    tmp_path: Path,
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one\n")
    async with bench(tmp_path) as call:
        results = [await call("read_file", path="a.txt") for _ in range(4)]
        assert ["warning" in result for result in results] == [False, False, True, False]
        assert results[3]["error"].startswith("Blocked")
        file.write_text("changed\n")
        assert (await call("read_file", path="a.txt"))["content"] == "1|changed"


async def test_writing_in_between_makes_reading_again_sensible(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n")
    async with bench(tmp_path) as call:
        for _ in range(5):
            assert "content" in await call("read_file", path="a.txt")
            await call("write_file", path="b.txt", content="x")


async def test_long_lines_invalid_bytes_and_long_files_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * 5000 + "\nshort\n")
    (tmp_path / "bytes").write_bytes(b"gr\xf6\xdfe\n")
    (tmp_path / "many").write_text("".join(f"{'y' * 500} {n}\n" for n in range(3000)))
    async with bench(tmp_path) as call:
        long = await call("read_file", path="long")
        assert "[5,000 characters]" in long["content"]
        assert long["content"].endswith("2|short")
        assert (await call("read_file", path="bytes"))["content"] == "1|gr??e"
        result = await call.result("read_file", path="many", limit=2000)
        assert len(result.content) <= Limits().output_chars
        many = msgspec.json.decode(result.content)
        shown = many["content"].count("\n") + 1
        assert many["hint"] == f"Lines {shown + 1} to 3000 follow: offset={shown + 1}."


async def test_the_end_of_a_giant_file_is_read_without_loading_it(tmp_path: Path) -> None:
    with (tmp_path / "giant").open("w") as file:
        file.writelines(f"line {n} {'z' * 90}\n" for n in range(1, 150_001))
    async with bench(tmp_path) as call:
        result = await call("read_file", path="giant", offset=140_000, limit=2)
        assert result["content"].startswith("140000|line 140000 z")
        assert result["content"].count("\n") == 1
        assert "offset=140002" in result["hint"]
        assert "ends before" in (await call("read_file", path="giant", offset=999_999))["hint"]


async def test_writing_makes_folders_and_shows_the_person_a_diff(tmp_path: Path) -> None:
    async with bench(tmp_path) as call:
        result = await call.result("write_file", path="new/deep/a.txt", content="one\n")
        assert msgspec.json.decode(result.content)["created"] is True
        assert result.diff == "--- /dev/null\n+++ new/deep/a.txt\n@@ -0,0 +1 @@\n+one\n"
        again = await call.result("write_file", path="new/deep/a.txt", content="two\n")
        assert "-one\n+two\n" in (again.diff or "")
    assert (tmp_path / "new/deep/a.txt").read_text() == "two\n"


async def test_a_file_keeps_its_line_ends_mark_encoding_and_mode(tmp_path: Path) -> None:
    (tmp_path / "dos.txt").write_bytes(codecs.BOM_UTF8 + b"a\r\nb\r\n")
    (tmp_path / "wide.txt").write_bytes("a\r\nb\r\n".encode("utf-16"))
    (tmp_path / "run.sh").write_text("echo\n")
    (tmp_path / "run.sh").chmod(0o750)
    async with bench(tmp_path) as call:
        await call("write_file", path="dos.txt", content="x\ny\n")
        await call("patch", mode="replace", path="wide.txt", old_string="a\nb", new_string="c")
        await call("write_file", path="run.sh", content="echo 2\n")
    assert (tmp_path / "dos.txt").read_bytes() == codecs.BOM_UTF8 + b"x\r\ny\r\n"
    assert (tmp_path / "wide.txt").read_bytes() == "c\r\n".encode("utf-16")
    assert (tmp_path / "run.sh").stat().st_mode & 0o777 == 0o750


async def test_bytes_that_are_not_utf8_survive_an_edit_beside_them(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes(b"gr\xf6\xdfe\nend\n")
    async with bench(tmp_path) as call:
        await call("patch", mode="replace", path="old.txt", old_string="end", new_string="last")
    assert (tmp_path / "old.txt").read_bytes() == b"gr\xf6\xdfe\nlast\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.py", "def f(:\n", "Python: invalid syntax (line 1)"),
        ("a.json", '{"a": }', "JSON: Expecting value (line 1, column 7)"),
        ("a.toml", "a = \n", "TOML"),
        ("a.yaml", "a: [1\n", "YAML"),
        ("a.py", "x = 1\n", None),
        ("a.txt", "def f(:", None),
    ],
)
async def test_broken_syntax_is_told_at_once(
    tmp_path: Path, name: str, content: str, said: str | None
) -> None:
    async with bench(tmp_path) as call:
        result = await call("write_file", path=name, content=content)
    assert (said or "") in result.get("syntax_error", "")
    assert ("syntax_error" in result) == (said is not None)
    assert (tmp_path / name).read_text() == content


async def test_an_edit_that_fails_leaves_the_file_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\nx = 1\n")
    async with bench(tmp_path) as call:
        twice = await call("patch", mode="replace", path="a.py", old_string="x = 1", new_string="")
        assert "found 2 times (lines 1, 2)" in twice["error"]
        lacking = await call("patch", mode="replace", path="a.py", old_string="x")
        assert lacking["error"].startswith("`new_string` is missing.")
    assert (tmp_path / "a.py").read_text() == "x = 1\nx = 1\n"


async def test_a_patch_over_several_files_adds_updates_moves_and_deletes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f():\n    return 1\n")
    (tmp_path / "old.txt").write_text("text\n")
    (tmp_path / "gone.txt").write_text("bye\n")
    patch = """\
*** Begin Patch
*** Update File: a.py
@@ def f():
-    return 1
+    return 2
*** Update File: old.txt
*** Move to: sub/new.txt
-text
+more text
*** Delete File: gone.txt
*** Add File: b.txt
+hello
*** End Patch"""
    async with bench(tmp_path) as call:
        result = await call.result("patch", mode="patch", patch=patch)
    assert result.status == "ok"
    assert "-    return 1\n+    return 2\n" in (result.diff or "")
    files = contents(tmp_path)
    assert files == {
        "a.py": "def f():\n    return 2\n",
        "sub/new.txt": "more text\n",
        "b.txt": "hello\n",
    }


@pytest.mark.parametrize(
    "bad",
    [
        "*** Update File: missing.py\n-x\n+y",
        "*** Update File: b.txt\n-not there\n+y",
        "*** Add File: b.txt\n+there already",
        "*** Delete File: nothing.txt",
        "*** Update File: secret.txt\n-x\n+y",
        "*** Update File: b.txt\n*** Move to: a.txt\n-b\n+c",
        "*** Add File: b.txt/inside\n+a file is no folder",
    ],
)
async def test_a_patch_is_applied_as_a_whole_or_not_at_all(tmp_path: Path, bad: str) -> None:
    before = {"a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", "secret.txt": "x\n"}
    for name, text in before.items():
        (tmp_path / name).write_text(text)
    good = "*** Update File: a.txt\n-a\n+changed\n*** Delete File: c.txt\n*** Add File: d.txt\n+d"
    async with bench(tmp_path) as call:
        result = await call.result(
            "patch", mode="patch", patch=f"*** Begin Patch\n{good}\n{bad}\n*** End Patch"
        )
    assert result.status in ("error", "denied")
    assert contents(tmp_path) == before


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    old=st.lists(st.sampled_from(["a", "b", "c"]), max_size=8),
    wanted=st.lists(st.sampled_from(["a", "b", "d"]), min_size=1, max_size=3),
)
def test_a_patch_that_fails_changes_no_byte_of_any_file(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], wanted: list[str]
) -> None:
    import asyncio

    folder = tmp_path_factory.mktemp("patch")
    content = "\n".join(old).encode()
    (folder / "one").write_bytes(content)
    (folder / "two").write_bytes(content)
    hunk = "\n".join([*(f"-{line}" for line in wanted), "+new"])
    patch = f"*** Update File: one\n{hunk}\n*** Update File: two\n{hunk}\n-no such line\n"

    async def attempt() -> str:
        async with bench(folder) as call:
            return (await call.result("patch", mode="patch", patch=patch)).status

    assert asyncio.run(attempt()) == "error"
    assert (folder / "one").read_bytes() == (folder / "two").read_bytes() == content


async def test_edits_to_a_link_change_the_file_it_names(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("a\n")
    (tmp_path / "link.txt").symlink_to("real.txt")
    async with bench(tmp_path) as call:
        await call("patch", mode="replace", path="link.txt", old_string="a", new_string="b")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "b\n"


@pytest.mark.timeout(30)
async def test_forgiving_matching_stays_quick_in_a_large_file(tmp_path: Path) -> None:
    lines = [f"    value_{n} = compute({n})" for n in range(40_000)]
    (tmp_path / "big.txt").write_text("\n".join(lines) + "\n")
    old = "value_39000 = compute(39000)\nvalue_39001 = compute( 39001 )"
    async with bench(tmp_path) as call:
        result = await call("patch", mode="replace", path="big.txt", old_string=old, new_string="x")
        assert result["success"] is True
        missing = await call(
            "patch", mode="replace", path="big.txt", old_string="entirely else", new_string="x"
        )
        assert "is not in the file" in missing["error"]
