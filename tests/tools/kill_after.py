#!/usr/bin/env python3
"""Runs `up -o json`, sends a signal when a step says one of some states.

usage: kill_after.py STEP STATE[,STATE...] SIGNAL COMMAND...
Prints the exit code (-9: killed), or "over" when the step never said so.
"""
import json
import subprocess
import sys

step, states, number = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
p = subprocess.Popen(sys.argv[4:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
seen = False
for line in p.stdout:
    e = json.loads(line)
    if not seen and e.get("step") == step and e.get("state") in states:
        seen = True
        p.send_signal(number)
p.wait()
print(p.returncode if seen else "over")
