"""The OpenAPI document is true: schemathesis tries the running server against it."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.api_house import KEY, House, house
from tests.integration.api_jobs import BoardOfCards
from tests.servers.script import Reply

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,negative_data_rejection,"
    "ignored_auth,unsupported_method"
)
EXAMPLES = os.environ.get("HERMES_SCHEMATHESIS_EXAMPLES", "10")


async def schemathesis(at: House, folder: Path) -> tuple[int, str]:
    """Run it as its users do; its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("st")), "run", f"{at.url}/openapi.json"),
        *("-H", f"Authorization: Bearer {KEY}", "--checks", CHECKS, "--seed", "7"),
        *(
            "-n",
            EXAMPLES,
            "--phases",
            "examples,coverage,fuzzing,stateful",
            "--generation-database=none",
        ),
        *("--no-color", "--request-timeout", "30"),
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def test_the_server_does_what_its_document_says(home: Path, tmp_path: Path) -> None:
    async with house(home, jobs=BoardOfCards(), approval_time=1.0) as at:
        at.model.always(Reply(text="Yes."))
        status, printed = await schemathesis(at, tmp_path)
        assert status == 0, printed[-6000:]
