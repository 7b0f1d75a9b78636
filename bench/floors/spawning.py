"""`spawning.py N`: start `bash -c true` N times, one after the other, and read its output."""

import subprocess
import sys

for _ in range(int(sys.argv[1])):
    subprocess.run(["bash", "-c", "true"], capture_output=True, check=True)
