"""Prints the files that .dockerignore admits to a build of the folder argv[1], as JSON, by the patterns of Docker's own library for Python.

Each file is asked for by itself: the library's walk passes over whole folders, as the builder before BuildKit did.
"""

import json
import os
import sys

from docker.utils.build import PatternMatcher

root = sys.argv[1]
with open(os.path.join(root, ".dockerignore"), encoding="utf-8") as file:
    lines = [line.strip() for line in file]
matcher = PatternMatcher([line for line in lines if line and not line.startswith("#")])
admitted = []
for folder, _, names in os.walk(root):
    paths = [os.path.relpath(os.path.join(folder, name), root) for name in names]
    admitted += [path for path in paths if not matcher.matches(path)]
print(json.dumps(sorted(admitted)))
