"""Runs a program to its end, and prints what it took as a line of JSON. Node cannot ask the system this of a child.

The first argument is the program's whole environment as JSON, the others are its command. The memory is never less than
what Python held when it started the program, about 10 MiB, which every contestant exceeds.
"""

import json
import os
import signal
import sys
import time

environment, *command = sys.argv[1:]
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
begin = time.monotonic()
child = os.posix_spawnp(command[0], command, json.loads(environment), file_actions=quiet)
# A benchmark that is interrupted must not leave the program behind.
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
_, status, used = os.wait4(child, 0)
seconds = time.monotonic() - begin
if status != 0:
    sys.exit(f"{command} ended with status {status}")
print(
    json.dumps(
        {
            "seconds": seconds,
            "processorSeconds": used.ru_utime + used.ru_stime,
            "peakRssBytes": used.ru_maxrss * 1024,
        }
    )
)
