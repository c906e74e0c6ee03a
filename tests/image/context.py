"""Prints which of the paths that it reads .dockerignore admits to a build, by the patterns of Docker's own library for Python.

Reads {"ignored": text of .dockerignore, "paths": [...]}, prints a list. Each path is asked for by itself: the library's own walk passes over
whole folders, as the builder before BuildKit did.
"""

import json
import sys

from docker.utils.build import PatternMatcher

question = json.load(sys.stdin)
lines = [line.strip() for line in question["ignored"].splitlines()]
matcher = PatternMatcher([line for line in lines if line and not line.startswith("#")])
print(json.dumps([path for path in question["paths"] if not matcher.matches(path)]))
