"""Without the extra the server says what to install."""

import subprocess
import sys
from pathlib import Path

WITHOUT = """
import sys
sys.modules["uvicorn"] = None
from pathlib import Path
from hermes_agent.api.health import Health
from hermes_agent.api.server import ApiServer
from hermes_agent.api.settings import ApiSettings
from hermes_agent.domain.errors import ConfigError
try:
    ApiServer(ApiSettings(home=Path(sys.argv[1])), host=None, store=None, jobs=None,
              health=Health, metrics=tuple)
except ConfigError as error:
    print(error.message, error.hint)
"""


def test_a_missing_library_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "extra 'server'" in done.stdout
    assert "hermes-agent[server]" in done.stdout
    assert not (tmp_path / "api_server.key").exists()
