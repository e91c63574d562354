"""Prints a JSON list of the attributes and metrics of OpenTelemetry's semantic conventions that are in force, from its PyPI package."""
import ast
import importlib
import json
import pathlib

import opentelemetry.semconv

names = set()
root = pathlib.Path(opentelemetry.semconv.__path__[0])
for path in sorted([*root.rglob("*_attributes.py"), *root.rglob("*_metrics.py")]):
    loaded = importlib.import_module(".".join(("opentelemetry.semconv", *path.relative_to(root).with_suffix("").parts)))
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for at, node in enumerate(body):
        if not isinstance(node, ast.AnnAssign) or not isinstance(getattr(loaded, node.target.id), str):
            continue
        # What follows a name says whether it is deprecated.
        text = body[at + 1].value.value if at + 1 < len(body) and isinstance(body[at + 1], ast.Expr) else ""
        if not str(text).strip().startswith("Deprecated"):
            names.add(getattr(loaded, node.target.id))
print(json.dumps(sorted(names)))
