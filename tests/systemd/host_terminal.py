"""Run a command in a terminal, inside the machine; say what came of it as JSON.

Arguments: pairs of a text to wait for and a text to type then, `--`, the command. A text to type
that begins with `signal` names a signal for the command instead; `size ROWS COLUMNS` changes the
size. `left` is what was typed into the terminal by somebody else.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

at = sys.argv.index("--")
steps = list(zip(sys.argv[1:at:2], sys.argv[2:at:2], strict=True))
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(slave, number)
    os.close(slave)
    os.close(master)
    os.execvp(sys.argv[at + 1], sys.argv[at + 1 :])

said = b""
seen = 0
end = time.monotonic() + 40
status = None
while status is None or select.select([master], [], [], 0)[0]:
    if time.monotonic() > end:
        os.kill(pid, signal.SIGKILL)
        print(json.dumps({"status": "late", "said": said.decode("utf-8", "replace")}))
        sys.exit(1)
    if select.select([master], [], [], 0.02)[0]:
        said += os.read(master, 65536)
    if steps and steps[0][0].encode() in said[seen:]:
        seen = said.index(steps[0][0].encode(), seen) + len(steps[0][0])
        doing = steps.pop(0)[1]
        if doing.startswith("signal "):
            os.killpg(pid, int(doing.split()[1]))
        elif doing.startswith("size "):
            rows, columns = map(int, doing.split()[1:])
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        else:
            os.write(master, doing.encode())
    if status is None:
        found, ended = os.waitpid(pid, os.WNOHANG)
        status = os.waitstatus_to_exitcode(ended) if found else None

same = termios.tcgetattr(slave) == before
raw = termios.tcgetattr(slave)
raw[3] &= ~(termios.ICANON | termios.ECHO)
raw[6][termios.VMIN] = 0
termios.tcsetattr(slave, termios.TCSANOW, raw)
left = os.read(slave, 4096) if select.select([slave], [], [], 0)[0] else b""
print(
    json.dumps(
        {
            "status": status,
            "said": said.decode("utf-8", "replace"),
            "left": left.decode("utf-8", "replace"),
            "restored": same,
        }
    )
)
