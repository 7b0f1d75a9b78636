"""`sleeping.py N SECONDS`: N shells that sleep, side by side."""

import subprocess
import sys

command = ["bash", "-c", f"sleep {sys.argv[2]}"]
for child in [subprocess.Popen(command) for _ in range(int(sys.argv[1]))]:
    child.wait()
