"""Prints the schema of one version of a custom resource, without what a test cannot use.

python3 trim.py CRD.yaml VERSION [FIELD=SCHEMA|FIELD=-]... > GROUP_VERSION_KIND.json

FIELD is a path below the root, such as spec.jobTargetRef. SCHEMA says as what validate.py judges the field: a kind of
Kubernetes' own, which has that schema already. - drops the field, so that using it is an unknown field.
"""

import json
import sys

import yaml

KEPT = {"x-judged-as", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"}


def trimmed(schema):
    """Without prose, defaults and what only an API server evaluates (rules in CEL, list types)."""
    if isinstance(schema, list):
        return [trimmed(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key == "properties":
            kept[key] = {name: trimmed(it) for name, it in value.items()}
        elif key in ("description", "default", "format", "nullable") or (key.startswith("x-") and key not in KEPT):
            continue
        else:
            kept[key] = trimmed(value)
    return kept


def replace(schema, path, with_what):
    *parents, last = path.split(".")
    for name in parents:
        schema = schema["properties"][name] if name != "[]" else schema["items"]
    if with_what == "-":
        del schema["properties"][last]
    else:
        schema["properties"][last] = {"x-judged-as": with_what}


def main(crd, version, *replacements):
    with open(crd, encoding="utf-8") as file:
        documents = [it for it in yaml.safe_load_all(file) if it]
    spec = documents[0]["spec"]
    schema = next(it["schema"]["openAPIV3Schema"] for it in spec["versions"] if it["name"] == version)
    schema["properties"].pop("status", None)
    for name in ("apiVersion", "kind", "metadata"):
        schema["properties"][name] = {"type": "object" if name == "metadata" else "string"}
    schema["properties"]["metadata"]["x-kubernetes-preserve-unknown-fields"] = True
    for replacement in replacements:
        replace(schema, *replacement.split("=", 1))
    json.dump(trimmed(schema), sys.stdout, indent=1, sort_keys=True)
    print()


main(*sys.argv[1:])
