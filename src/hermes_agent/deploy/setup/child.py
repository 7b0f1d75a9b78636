"""The service user's part as a process of its own, which gets handles, a job, and no secrets.

It starts as root, loads the program (which may lie where the service user cannot read), and gives
its rights up for good before it reads the job. The kernel keeps other processes of that user from
tracing one that has done so; still its answer is taken for nothing but text.
"""

import os
import select
import subprocess
import sys
import time

import msgspec

from hermes_agent.deploy.setup.account import Account
from hermes_agent.deploy.setup.errors import SetupFailed
from hermes_agent.deploy.setup.job import MOST_ANSWER, MOST_BYTES, Answer, Job

SECONDS = 60.0
"""So long the service user's part may take."""

_MODULE = "hermes_agent.deploy.setup.inside"
_MOST_WARNINGS = 50
_LONGEST = 600


def run(job: Job, account: Account, handles: tuple[int, ...]) -> Answer:
    """Have the job done. Raises `SetupFailed`, also for what the process says went wrong."""
    data = msgspec.json.encode(job)
    if len(data) > MOST_BYTES:
        raise SetupFailed(f"What is declared is longer than {MOST_BYTES:,} bytes")
    stdin = os.memfd_create("job", os.MFD_CLOEXEC)
    with os.fdopen(stdin, "r+b") as file:
        file.write(data)
        file.flush()
        file.seek(0)
        output, status = _run(stdin, account, handles, job.permissions.umask)
    answer = _answer(output)
    if answer is None:
        said = _plain(output.decode("utf-8", "replace").strip()[-_LONGEST:])
        raise SetupFailed(
            f"The set-up as {account.user} ended with status {status}: {said or 'it said nothing'}"
        )
    if answer.error is not None:
        raise SetupFailed(
            _plain(answer.error), hint=None if answer.hint is None else _plain(answer.hint)
        )
    return Answer(tuple(_plain(text) for text in answer.warnings[:_MOST_WARNINGS]))


def _run(
    stdin: int, account: Account, handles: tuple[int, ...], umask: int
) -> tuple[bytes, int | None]:
    drop = [str(number) for number in (account.uid, account.gid, *account.groups)]
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", _MODULE, *(drop if os.geteuid() == 0 else ())],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=handles,
            cwd="/",
            env={},
            start_new_session=True,
            umask=umask,
        )
    except OSError as error:
        raise SetupFailed(f"Cannot run {sys.executable}: {error.strerror}") from error
    with process:
        assert process.stdout is not None
        try:
            output = _read(process.stdout.fileno())
        except BaseException:
            process.kill()
            raise
        return output, _ended(process)


def _ended(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _read(handle: int) -> bytes:
    """Everything up to the end. Raises `SetupFailed` if it is too much or takes too long."""
    end = time.monotonic() + SECONDS
    parts: list[bytes] = []
    size = 0
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([handle], [], [], left)[0]:
            raise SetupFailed(
                f"The set-up of the state directory took longer than {SECONDS:.0f} s",
                hint="Is its disk reachable? Does another process of the service user run?",
            )
        part = os.read(handle, 65536)
        if not part:
            return b"".join(parts)
        size += len(part)
        if size > MOST_ANSWER:
            raise SetupFailed("The set-up of the state directory said too much to be true")
        parts.append(part)


def _answer(output: bytes) -> Answer | None:
    lines = output.strip().rsplit(b"\n", 1)
    try:
        return msgspec.json.decode(lines[-1], type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _plain(text: str) -> str:
    flat = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in flat)[:_LONGEST]
