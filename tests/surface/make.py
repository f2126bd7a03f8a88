#!/usr/bin/env python3
"""Make a surface file: the paths, parameters and messages of a Google API, and nothing else.

usage: make.py API.VERSION ROOT [ROOT ...] > API-VERSION.json
       make.py vpcaccess.v1 projects.locations > vpcaccess-v1.json
       make.py run.v2 projects.locations.services:create,delete,get,list,patch \
           projects.locations.services.revisions:get,list \
           projects.locations.operations:get,list,wait > run-v2.json
       make.py sqladmin.v1 instances:delete,get,insert,list,patch,update operations:get,list > sqladmin-v1.json
       make.py secretmanager.v1 projects.secrets.versions:access > secretmanager-v1.json
       make.py monitoring.v3 projects.timeSeries:list projects.metricDescriptors:list > monitoring-v3.json
       make.py logging.v2 entries:list > logging-v2.json
       make.py certificatemanager.v1 projects.locations:get,list projects.locations.certificates \
           projects.locations.certificateMaps projects.locations.dnsAuthorizations \
           projects.locations.operations > certificatemanager-v1.json
       make.py compute.v1 COMPUTE > compute-v1.json

Reads Google's discovery document from the installed PyPI package google-api-python-client (2.202.0 made the
files kept here, but for compute: 2.200.0 is the last with the v1 channel that clients get who name no dated
version), takes every method under each ROOT resource, and the messages they reach. A ROOT may name its methods:
`zoneOperations:get,list,wait`. `make.py compute.v1 COMPUTE` stands for the resources served here. The result is small
enough to read in a review, so that a change of Google's API shows as a diff:

  methods   id -> {verb, path, query: {name: type}, request, response}
  messages  name -> {field: type}
  standard  the query parameters that every method takes

A type is {"type": string|boolean|int32|int64|double|object|any|MESSAGE} plus, where they apply, "list", "map",
"readOnly", "enum" and "format".
"""
import json
import pathlib
import sys

CHANGES = "insert,patch,update,delete"
COMPUTE = [
    "healthChecks:aggregatedList,get,list," + CHANGES,
    "regionHealthChecks:get,list," + CHANGES,
    "backendServices:aggregatedList,get,getHealth,list," + CHANGES,
    "regionBackendServices:get,getHealth,list," + CHANGES,
    "sslCertificates:aggregatedList,get,list,insert,delete",
    "regionSslCertificates:get,list,insert,delete",
    "targetHttpsProxies:aggregatedList,get,list,insert,patch,delete,setSslCertificates,setCertificateMap",
    "regionTargetHttpsProxies:get,list,insert,patch,delete,setSslCertificates",
    "networkEndpointGroups:aggregatedList,get,list,insert",
    "regionNetworkEndpointGroups:get,list,insert",
    "globalNetworkEndpointGroups:get,list,insert",
    "globalOperations:get,list,wait",
    "regionOperations:get,list,wait",
    "zoneOperations:get,list,wait",
]
SCALARS = {"string", "boolean", "object", "any"}


def load(api):
    import googleapiclient

    documents = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    return json.loads((documents / f"{api}.json").read_text())


def type_of(node):
    if node.get("type") == "array":
        return {**type_of(node["items"]), "list": True, **flags(node)}
    if "additionalProperties" in node:
        return {**type_of(node["additionalProperties"]), "map": True, **flags(node)}
    if "$ref" in node:
        return {"type": node["$ref"], **flags(node)}
    kind, form = node["type"], node.get("format")
    if kind in ("integer", "number"):
        return {"type": form or kind, **flags(node)}
    if form in ("int64", "uint64"):
        return {"type": form, **flags(node)}
    if kind not in SCALARS:
        sys.exit(f"make.py: unknown type {kind!r}")
    return {"type": kind, **({"format": form} if form else {}), **flags(node)}


def flags(node):
    found = {}
    # Compute marks many fields in their descriptions only.
    told = node.get("description", "").lower().lstrip("[")
    if node.get("readOnly") or told.startswith(("output only", "output-only")):
        found["readOnly"] = True
    if node.get("enum"):
        found["enum"] = node["enum"]
    return found


def methods_of(document, root):
    path, _, names = root.partition(":")
    node = resource(document, path)
    if not names:
        return methods(node)
    return [node["methods"][name] for name in names.split(",")]


def resource(document, path):
    node = document
    for part in path.split("."):
        node = node.get("resources", {}).get(part) or sys.exit(f"make.py: no resource {path!r}")
    return node


def methods(node):
    yield from node.get("methods", {}).values()
    for inner in node.get("resources", {}).values():
        yield from methods(inner)


def method_of(document, method):
    query = {
        name: {**type_of(parameter), **({"list": True} if parameter.get("repeated") else {})}
        for name, parameter in method.get("parameters", {}).items()
        if parameter["location"] == "query"
    }
    made = {"verb": method["httpMethod"], "path": "/" + document["servicePath"] + method["flatPath"], "query": query}
    for side in ("request", "response"):
        if side in method:
            made[side] = method[side]["$ref"]
    return made


def reached(document, names):
    messages, todo = {}, list(names)
    while todo:
        name = todo.pop()
        if name in messages:
            continue
        fields = {
            field: type_of(node)
            for field, node in document["schemas"][name].get("properties", {}).items()
        }
        messages[name] = fields
        todo += [t["type"] for t in fields.values() if t["type"] in document["schemas"]]
    return messages


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    api, roots = sys.argv[1], sys.argv[2:]
    roots = COMPUTE if roots == ["COMPUTE"] else roots
    document = load(api)
    found = {m["id"]: method_of(document, m) for root in roots for m in methods_of(document, root)}
    names = {m[side] for m in found.values() for side in ("request", "response") if side in m}
    surface = {
        "api": api,
        "revision": document["revision"],
        "standard": {name: type_of(node) for name, node in document["parameters"].items()},
        "methods": found,
        "messages": reached(document, names),
    }
    lines = [json.dumps({"api": surface["api"]})[:-1] + f', "revision": "{surface["revision"]}",']
    for section in ("standard", "methods", "messages"):
        rows = [f"    {json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in sorted(surface[section].items())]
        lines.append(f'  "{section}": {{\n' + ",\n".join(rows) + "\n  },")
    print("\n".join(lines).removesuffix(",") + "\n}")


if __name__ == "__main__":
    main()
