"""Judges objects by the schemas of several versions of Kubernetes, and of custom resources; unknown fields are refused.

Reads {"versions": ["1.34", …], "objects": [{"at": NAME, "object": OBJECT}, …]} and prints a list of what is wrong, as lines.
"""

import functools
import json
import pathlib
import re
import sys
from importlib import resources

import jsonschema
import referencing

SCHEMAS = pathlib.Path(__file__).parent / "schemas"
KUBERNETES = resources.files("kubernetes_validate") / "kubernetes-json-schema"


@functools.cache
def folder(version):
    """The folder of the newest schemas of a version such as 1.34: its name has the patch release too."""
    found = [it.name for it in KUBERNETES.iterdir() if re.fullmatch(rf"v{re.escape(version)}(\.\d+)?-local-strict", it.name)]
    assert found, f"kubernetes-validate has no schemas of Kubernetes {version}"
    return KUBERNETES / max(found, key=len)


@functools.cache
def definitions(version):
    contents = json.loads((folder(version) / "_definitions.json").read_text(encoding="utf-8"))
    return referencing.Resource.from_contents(contents)


@functools.cache
def built_in(version, api_version, kind):
    """Returns a validator for a kind of Kubernetes' own, or None."""
    group, slash, api = api_version.rpartition("/")
    file = folder(version) / f"{kind.lower()}-{group.split('.')[0]}{'-' if slash else ''}{api}.json"
    if not file.is_file():
        return None
    schema = json.loads(file.read_text(encoding="utf-8"))
    registry = definitions(version) @ (referencing.Resource.from_contents(schema) @ referencing.Registry())
    return jsonschema.Draft202012Validator(schema, registry=registry)


def is_kubernetes_own(api_version):
    group = api_version.rpartition("/")[0]
    return "." not in group or (group.endswith(".k8s.io") and not any(SCHEMAS.glob(f"{group}_*.json")))


def closed(schema):
    """The schema, so that it refuses what an API server would drop with a warning."""
    if isinstance(schema, list):
        return [closed(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema and isinstance(schema["properties"], dict):
        shut["properties"] = {name: closed(it) for name, it in schema["properties"].items()}
        # A part of anyOf repeats properties only to require them; the schema around it has them all.
        if schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
            shut.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        shut.setdefault("type", ["integer", "string"])
    return shut


@functools.cache
def custom(api_version, kind):
    """Returns a validator for a custom resource and its schema, or None."""
    file = SCHEMAS / f"{api_version.replace('/', '_')}_{kind}.json"
    if not file.is_file():
        return None
    schema = json.loads(file.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(closed(schema)), schema


def judged_elsewhere(schema, value):
    """Yields the parts of a custom resource that are Kubernetes' own, each as (what it is, part)."""
    if "x-judged-as" in schema:
        yield schema["x-judged-as"], value
    elif isinstance(value, dict):
        for name, it in schema.get("properties", {}).items():
            if name in value:
                yield from judged_elsewhere(it, value[name])


def whole(what, part):
    """Makes an object of the part of one."""
    metadata = {"name": "part"}
    if what == "batch/v1 Job spec":
        return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": part}
    if what == "v1 PodTemplate template":
        return {"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": part}
    assert what == "embedded object", what
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "part"}
    spec = dict(part["spec"])
    # Left empty for the controller, which fills it in.
    if spec.get("scaleTargetRef") == {}:
        spec["scaleTargetRef"] = target
    return {**part, "metadata": metadata, "spec": spec}


def problems(validator, value):
    for error in validator.iter_errors(value):
        deepest = jsonschema.exceptions.best_match([error])
        yield f"{'.'.join(str(it) for it in deepest.absolute_path) or 'it'}: {deepest.message}"


def judge(version, value):
    api_version, kind = value.get("apiVersion", ""), value.get("kind", "")
    if is_kubernetes_own(api_version):
        validator = built_in(version, api_version, kind)
        if validator is None:
            yield f"Kubernetes {version} has no {api_version} {kind}"
            return
        yield from problems(validator, value)
        return
    known = custom(api_version, kind)
    if known is None:
        yield f"there is no schema of {api_version} {kind}"
        return
    validator, schema = known
    yield from problems(validator, value)
    for what, part in judged_elsewhere(schema, value):
        yield from judge(version, whole(what, part))


def main():
    asked = json.load(sys.stdin)
    wrong = [
        f"{it['at']}, Kubernetes {version}: {problem}"
        for version in asked["versions"]
        for it in asked["objects"]
        for problem in judge(version, it["object"])
    ]
    json.dump(wrong, sys.stdout)


main()
