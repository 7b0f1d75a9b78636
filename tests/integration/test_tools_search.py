"""search_files over real trees, with ripgrep and without."""

import os
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.unit.tools.room import Bench, bench


def tree(folder: Path) -> None:
    for name, text in {
        "src/a.py": "import os\n\ndef alpha():\n    return os\n",
        "src/b.py": "def beta():\n    return alpha()\n",
        "src/deep/c.txt": "alpha in text\n",
        "build/out.py": "def alpha(): ...\n",
        "debug.log": "alpha\n",
        "keep.log": "alpha\n",
        ".hidden/x.py": "alpha\n",
        ".env": "ALPHA=alpha\n",
        "secret.txt": "alpha\n",
        ".gitignore": "build/\n*.log\n!keep.log\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "data.bin").write_bytes(b"\0alpha")


def without_ripgrep(folder: Path) -> dict[str, str]:
    """An environment whose PATH has the usual programs, but no rg."""
    programs = folder / "programs"
    programs.mkdir()
    for name in ("bash", "sh", "awk", "tr", "head", "tail", "cut", "cat", "sleep"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    return {**os.environ, "PATH": str(programs)}


@pytest.fixture(params=["ripgrep", "python"])
async def call(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Bench]:
    if request.param == "ripgrep" and shutil.which("rg") is None:
        pytest.skip("ripgrep is not installed")
    folder = tmp_path / "tree"
    folder.mkdir()
    tree(folder)
    variables = without_ripgrep(tmp_path) if request.param == "python" else None
    async with bench(folder, variables=variables) as made:
        yield made


async def test_matches_come_by_file_without_hidden_ignored_and_binary_ones(call: Bench) -> None:
    result = await call("search_files", pattern=r"\balpha\b")
    assert result["matches"] == (
        "keep.log\n1:alpha\n\n"
        "src/a.py\n3:def alpha():\n\n"
        "src/b.py\n2:    return alpha()\n\n"
        "src/deep/c.txt\n1:alpha in text"
    )
    assert result["count"] == 4
    assert result["withheld"].startswith("1 findings")


async def test_context_lines_are_told_apart_from_matches(call: Bench) -> None:
    result = await call("search_files", pattern="def alpha", path="src/a.py", context=1)
    assert result["matches"] == "src/a.py\n2-\n3:def alpha():\n4-    return os"
    assert result["count"] == 1


async def test_pages_meet_without_gap_or_overlap(call: Bench) -> None:
    whole = (await call("search_files", pattern="a", output_mode="content"))["matches"]
    assert whole.count(":") > 4
    pages: list[str] = []
    offset = 0
    while True:
        page = await call("search_files", pattern="a", limit=3, offset=offset)
        pages += [line for line in page["matches"].split("\n") if line[:1].isdigit()]
        if not page.get("truncated"):
            break
        offset += 3
        assert f"offset={offset}" in page["hint"]
    assert pages == [line for line in whole.split("\n") if line[:1].isdigit()]


async def test_a_glob_and_the_other_ways_to_tell(call: Bench) -> None:
    only = await call("search_files", pattern="alpha", file_glob="*.txt", output_mode="files_only")
    assert only["files"] == ["src/deep/c.txt"]
    counted = await call("search_files", pattern="alpha", path="src", output_mode="count")
    assert counted["counts"] == {"src/a.py": 1, "src/b.py": 1, "src/deep/c.txt": 1}


async def test_files_are_found_by_glob_and_by_a_part_of_their_name(call: Bench) -> None:
    assert (await call("search_files", target="files", pattern="*.py"))["files"] == [
        "src/a.py",
        "src/b.py",
    ]
    assert (await call("search_files", target="files", pattern="src/**/*.txt"))["files"] == [
        "src/deep/c.txt"
    ]
    assert (await call("search_files", target="files", pattern="C.TX"))["files"] == [
        "src/deep/c.txt"
    ]


async def test_nothing_found_and_a_wrong_pattern_are_different_things(call: Bench) -> None:
    nothing = await call.result("search_files", pattern="no such words")
    assert nothing.status == "ok"
    wrong = await call.result("search_files", pattern="alpha(")
    assert wrong.status == "error"
    assert "regex parse error" in wrong.content
    missing = await call.result("search_files", pattern="a", path="nowhere")
    assert missing.status == "error"


async def test_names_patterns_and_lines_of_all_kinds_are_taken_as_they_are(call: Bench) -> None:
    odd = call.folder / "it's $(touch pwned) `x`"
    odd.mkdir()
    (odd / "-n é.txt").write_text("quote ' and \" and $HOME\nnext\u241fone\n" + "w" * 3000 + "W\n")
    found = await call("search_files", pattern="' and \" and \\$HOME", path=odd.name)
    assert found["matches"] == f"{odd.name}/-n é.txt\n1:quote ' and \" and $HOME"
    assert (await call("search_files", pattern="xt\u241fon"))["matches"].endswith("2:next\u241fone")
    long = await call("search_files", pattern="W$", path=f"{odd.name}/-n é.txt")
    assert long["count"] == 1
    assert len(long["matches"]) < 600
    assert not (call.folder / "pwned").exists()


async def test_a_flood_of_matches_stays_one_page(call: Bench) -> None:
    (call.folder / "flood.txt").write_text(f"alpha {'x' * 390}\n" * 50_000)
    result = await call.result("search_files", pattern="alpha x", limit=500)
    assert result.status == "ok"
    assert len(result.content) < 100_000
    assert '"truncated":true' in result.content


async def test_a_hidden_file_that_is_named_is_searched(call: Bench) -> None:
    result = await call("search_files", pattern="ALPHA", path=".env")
    assert result["matches"] == ".env\n1:ALPHA=alpha"


async def test_the_same_search_warns_the_third_time_and_is_blocked_the_fourth(
    call: Bench,
) -> None:
    results = [await call("search_files", pattern="alpha") for _ in range(4)]
    assert ["warning" in result for result in results] == [False, False, True, False]
    assert results[3]["error"].startswith("Blocked")


async def test_a_machine_without_ripgrep_and_python_is_searched_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    tree(tmp_path / "tree")
    (tmp_path / "tree/data.bin").write_bytes(b"\0\1\2alpha")
    variables = without_ripgrep(tmp_path)
    for name in ("find", "sort"):
        (tmp_path / "programs" / name).symlink_to(shutil.which(name) or "")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    async with bench(tmp_path / "tree", variables=variables) as call:
        result = await call("search_files", pattern=r"\balph\w(?:\(|$)", path="src")
        assert result["matches"] == "src/a.py\n3:def alpha():\n\nsrc/b.py\n2:    return alpha()"
        result = await call("search_files", pattern="def alpha", path="src/a.py", context=1)
        assert result["matches"] == "src/a.py\n2-\n3:def alpha():\n4-    return os"
        found = await call("search_files", target="files", pattern="src/**/*.{TXT,md}")
        assert found["files"] == ["src/deep/c.txt"]
        counted = await call(
            "search_files", pattern="alpha", file_glob="!*.log", output_mode="count"
        )
        assert counted["counts"] == {
            "build/out.py": 1, "src/a.py": 1, "src/b.py": 1, "src/deep/c.txt": 1,
        }  # fmt: skip
        assert (await call("search_files", pattern="no such thing"))["count"] == 0
        assert "error" in await call("search_files", pattern="a(b")
