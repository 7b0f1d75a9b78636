"""What bash runs is what the parse shows: the same texts go to both."""

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from hermes_agent.policy.shell import TooComplex, normalise, parse

BASH = shutil.which("bash")
# No absolute paths and no functions: nothing but the marker program can be found or multiply.
FRAGMENTS = (
    "zap", "zap x", "zap x\n", " ", "\n", ";", "|", "||", "&&", "&", "(", ")", "{ ", "; }", "$(",
    "`",
    "'", '"', "\\", "\\\n", "<<E", "<<'E'", "<<-E", "E", "\nE\n", "<<<", "<", "> o", "2>&1", "if ",
    "; then ", "; fi", "for i in a; do ", "; done", "case x in x) ", ";; esac", "#", " # ", "$x",
    "${x:-", "}", "${x#", "$((1+", "))", "((", "[[ ", "]]", "a=", "a=(", "echo ", "cat", "true",
    "!",
    "$'", "\\'", "*", "[", "]", "x", "eval ", "\t", "=", "~", "$", '"$(', "${", "1", ",",
    "{a,b}", "<(",
    "zap<<E\n", "time ", "&>o", "<>o",
)  # fmt: skip


@pytest.mark.skipif(BASH is None, reason="needs bash")
@pytest.mark.parametrize("seed", range(8))
def test_a_program_that_bash_runs_is_seen_or_the_text_is_doubted(seed: int, tmp_path: Path) -> None:
    assert BASH is not None
    (tmp_path / "bin").mkdir()
    log = tmp_path / "ran"
    marker = tmp_path / "bin/zap"
    marker.write_text(f"#!{BASH}\necho ran >> {log}\n")
    marker.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    chosen = random.Random(seed)
    compared = 0
    for _ in range(150):
        text = "".join(chosen.choice(FRAGMENTS) for _ in range(chosen.randint(2, 8)))
        text = normalise(text + chosen.choice((" zap", "\nzap y", "; zap z"))).text
        log.unlink(missing_ok=True)
        subprocess.run(
            [BASH, "--norc", "-c", text],
            env={"PATH": str(tmp_path / "bin"), "HOME": str(work)},
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
        )
        if not log.exists():
            continue
        compared += 1
        try:
            script = parse(text, cwd=str(work), home=str(work))
        except TooComplex:
            continue
        seen = [c for c in script.commands if c.argv and (c.program == "zap" or c.argv[0].dynamic)]
        assert seen or script.doubts, text
    assert compared > 10
