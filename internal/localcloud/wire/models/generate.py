#!/usr/bin/env python3
"""Writes what AWS's models say of the requests that the local cloud takes.

The bounds, patterns, sets of values and required members come from the service
models of botocore (https://github.com/boto/botocore, Apache-2.0), of the version
named in each file. Only facts are taken, and only of the operations that the
package of a service registers.

    pip install botocore==1.44.8 && python3 generate.py
"""

import gzip
import json
import pathlib
import re

import botocore

HERE = pathlib.Path(__file__).parent
CLOUD = HERE.parent.parent
# By file: the model, the package with its operations, the code of a refusal.
SERVICES = {
    "sagemaker": ("sagemaker/2017-07-24", "sagemaker", "ValidationException"),
    "logs": ("logs/2014-03-28", "logs", "InvalidParameterException"),
    "autoscaling": ("application-autoscaling/2016-02-06", "autoscaling", "ValidationException"),
}
NUMBERS = ("integer", "long", "float", "double")


def served(package):
    """The operations that the Go files of a package register."""
    text = "".join(f.read_text() for f in (CLOUD / package).glob("*.go"))
    return sorted(set(re.findall(r'"(\w+)"\]?(?: =|:)\s+wire\.Op\(', text)))


def constraint(shape):
    """A shape with references to others by name."""
    kind = shape["type"]
    out = {k: shape[k] for k in ("min", "max", "pattern", "enum", "required", "sensitive") if shape.get(k) not in (None, [])}
    if kind in NUMBERS:
        out["number"] = True
    if kind == "structure":
        out["members"] = {name: member["shape"] for name, member in shape["members"].items()}
    if kind == "list":
        out["item"] = shape["member"]["shape"]
    if kind == "map":
        out["key"], out["value"] = shape["key"]["shape"], shape["value"]["shape"]
    return out


def references(c):
    return [*c.get("members", {}).values(), *(c[k] for k in ("item", "key", "value") if k in c)]


def reachable(shapes, roots):
    seen, todo = {}, list(roots)
    while todo:
        name = todo.pop()
        if name not in seen and shapes[name]["type"] != "blob":
            seen[name] = constraint(shapes[name])
            todo += references(seen[name])
    return seen


def prune(shapes):
    """Leaves out shapes that constrain nothing, and references to them."""
    kept = {n for n, c in shapes.items() if c.keys() & {"min", "max", "pattern", "enum", "required"}}
    while True:
        more = {n for n, c in shapes.items() if n not in kept and kept.intersection(references(c))}
        if not more:
            break
        kept |= more
    out = {}
    for name in sorted(kept):
        c = shapes[name]
        if "members" in c:
            c["members"] = {m: s for m, s in c["members"].items() if s in kept}
        out[name] = {k: v for k, v in c.items() if k not in ("item", "key", "value") or v in kept}
    return out


def write(file, path, package, code):
    operations = served(package)
    if not operations:
        return
    data = pathlib.Path(botocore.__file__).parent / "data" / path / "service-2.json.gz"
    model = json.loads(gzip.decompress(data.read_bytes()))
    inputs = {o: model["operations"][o]["input"]["shape"] for o in operations}
    shapes = prune(reachable(model["shapes"], inputs.values()))
    one = lambda v: json.dumps(v, ensure_ascii=False, separators=(",", ":"))
    lines = [f" {one(name)}:{one(c)}" for name, c in shapes.items()]
    (HERE / f"{file}.json").write_text(
        f'{{"source":{one(f"botocore {botocore.__version__}, {path}")},"code":{one(code)},\n'
        f'"operations":{one(inputs)},\n"shapes":{{\n' + ",\n".join(lines) + "\n}}\n"
    )


if __name__ == "__main__":
    for file, (path, package, code) in SERVICES.items():
        write(file, path, package, code)
