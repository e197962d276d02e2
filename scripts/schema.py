#!/usr/bin/env python3
"""Makes src/sim/schema/fields.txt from a description of the API's fields.

usage: scripts/schema.py api-fields.json > src/sim/schema/fields.txt

One line a type: its name, then its fields. A field is name:type, with ! if it is required.
Types: s text, b truth value, i 32-bit and l 64-bit whole number, t time, q quantity,
o number or text, r anything, y bytes, [x] list, {x} map, s(A|B) one of these texts, else the
name of another line.
"""
import json
import sys

fields = json.load(open(sys.argv[1]))
SCALARS = {"string": "s", "boolean": "b", "integer:int32": "i", "integer:int64": "l", "string:byte": "y"}
SPECIAL = {"Quantity": "q", "FieldsV1": "r", "MicroTime": "t", "Time": "t", "RawExtension": "r", "IntOrString": "o"}


def name(full):
    short = full.rsplit(".", 1)[1]
    return "DiscoveryEndpointPort" if full == "io.k8s.api.discovery.v1.EndpointPort" else short


def code(t, enum=None):
    if isinstance(t, list):
        return ("[%s]" if t[0] == "list" else "{%s}") % code(t[1])
    if t.startswith("io."):
        return SPECIAL.get(name(t), name(t))
    return SCALARS[t] + ("(%s)" % "|".join(enum) if enum else "")


for full in sorted(fields, key=name):
    spec = fields[full]
    if not spec.get("fields"):
        continue
    required = set(spec.get("required", []))
    parts = [name(full)]
    for field, what in sorted(spec["fields"].items()):
        parts.append(field + ":" + code(what["type"], what.get("enum")) + ("!" if field in required else ""))
    print(" ".join(parts))
