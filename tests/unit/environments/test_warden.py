"""What the warden finds when its end of the pipe closes."""

import os
import signal
import subprocess

from hermes_agent.environments.warden import Warden


def test_one_that_was_just_being_started_is_found_too() -> None:
    warden = Warden()
    warden.expect("late-run")
    # Until it has its mark it is nobody's.
    late = "sleep 0.05; HERMES_RUN_ID=late-run exec sleep 600"
    with subprocess.Popen(["sh", "-c", late], start_new_session=True) as process:
        try:
            warden.close()
            assert process.wait(30) == -signal.SIGKILL
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_what_was_forgotten_lives_on() -> None:
    warden = Warden()
    warden.expect("kept-run")
    environ = {**os.environ, "HERMES_RUN_ID": "kept-run"}
    with subprocess.Popen(["sleep", "600"], env=environ) as process:
        warden.watch("kept-run", process.pid)
        warden.forget("kept-run")
        warden.close()
        assert process.poll() is None
        process.kill()
