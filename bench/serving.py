"""The API server over real sessions as a program: `serving.py KEY`, in the home of HERMES_HOME.

Prints its base URL as the first line and serves until it is ended.
"""

import asyncio
import signal
import sys
from pathlib import Path

from hermes_agent.api.health import Health
from hermes_agent.api.server import ApiServer
from hermes_agent.api.settings import ApiSettings
from hermes_agent.config.load import load
from hermes_agent.config.paths import hermes_home
from hermes_agent.config.secret import Secret
from hermes_agent.runtime.host import SessionHost
from hermes_agent.store.journal import store_thread
from hermes_agent.store.opening import open_store


async def main() -> None:
    """Serve until SIGTERM."""
    home = hermes_home()
    store, thread = open_store(home), store_thread()
    host = SessionHost(load(), store, cwd=Path.cwd(), thread=thread)
    server = ApiServer(
        ApiSettings(home=home, port=0, key=Secret(sys.argv[1]), grace=1.0),
        host=host,
        store=store,
        jobs=None,
        health=Health,
        metrics=tuple,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve(lambda: print(f"http://127.0.0.1:{server.port}/v1", flush=True))
    await host.close()
    thread.shutdown()
    store.close()


if __name__ == "__main__":
    asyncio.run(main())
