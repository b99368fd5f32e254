#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""kmm.py check MODULE BUILD SCHEMA VERSION: print what is wrong with the manifests, or nothing.
kmm.py run BUILD: print the commands of the build file's builder stage, one per line.

The checks here are those of KMM's webhook that go beyond the schema, and those for mistakes that
would show only in a cluster."""

import json
import re
import sys

import jsonschema
import yaml

# Kernels that must find an image, and kernels that must find none.
WANTED = ["6.1.0-50-amd64", "6.1.0-56-cloud-amd64"]
UNWANTED = ["5.10.0-30-amd64", "6.1.0-50-arm64", "6.1.0-50-rt-amd64", "4.18.0-553.el8.x86_64"]
TAG = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
LABEL_MAX = 41


def load(path):
    with open(path, encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def one(documents, kind):
    return [document for document in documents if document["kind"] == kind][0]


def image_for(mappings, release):
    """The first mapping that matches counts."""
    for mapping in mappings:
        if mapping.get("literal") == release or re.search(mapping.get("regexp", r"^\b$"), release):
            return mapping["containerImage"].replace("${KERNEL_FULL_VERSION}", release)
    return None


def wrong_with_mappings(mappings):
    literals = [mapping["literal"] for mapping in mappings if "literal" in mapping]
    for release in WANTED + literals:
        image = image_for(mappings, release)
        if not image:
            yield "no image for %s" % release
        elif not TAG.match(image.rsplit(":", 1)[1]):
            yield "%s is no name of an image" % image
    for release in UNWANTED:
        if image_for(mappings, release):
            yield "an image for %s" % release


def wrong_with_build(mapping, config):
    """The build file is the one that the Module names. It declares the arguments that it is passed
    and that it uses, and is passed those that it declares."""
    build = mapping["build"]
    text = config["data"]["dockerfile"]
    declared = set(re.findall(r"^ARG (\w+)", text, re.M))
    if build["dockerfileConfigMap"]["name"] != config["metadata"]["name"]:
        yield "no ConfigMap is called %s" % build["dockerfileConfigMap"]["name"]
    for arg in build["buildArgs"]:
        if arg["name"] not in declared:
            yield "the build file has no ARG %s" % arg["name"]
    passed = {arg["name"] for arg in build["buildArgs"]} | {"KERNEL_FULL_VERSION"}
    for name in declared - passed:
        yield "nothing passes %s" % name
    for name in set(re.findall(r"\$\{(\w+)\}", text)) - declared:
        yield "the build file uses %s without an ARG" % name


def wrong(module_path, build_path, schema_path, version):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    documents = load(module_path)
    module, config = one(documents, "Module"), one(load(build_path), "ConfigMap")
    for error in jsonschema.Draft7Validator(schema).iter_errors(module):
        yield "%s: %s" % ("/".join(map(str, error.absolute_path)), error.message)
        return
    where = module["metadata"]
    if len(where["name"] + where["namespace"]) > LABEL_MAX:
        yield "name and namespace are too long for a label"
    for other in (config, one(documents, "Namespace")):
        there = other["metadata"]
        if where["namespace"] not in (there.get("namespace"), there["name"]):
            yield "%s is elsewhere" % there["name"]
    container = module["spec"]["moduleLoader"]["container"]
    yield from wrong_with_mappings(container["kernelMappings"])
    for mapping in container["kernelMappings"]:
        yield from wrong_with_build(mapping, config)
        if ":%s-" % version not in mapping["containerImage"]:
            yield "%s is not of version %s" % (mapping["containerImage"], version)
    if container["version"] != version:
        yield "version %s is not %s" % (container["version"], version)


def run(build_path):
    """RUN lines of the stage called builder."""
    stage = None
    for line in one(load(build_path), "ConfigMap")["data"]["dockerfile"].splitlines():
        if line.startswith("FROM "):
            stage = line.rsplit(" ", 1)[1]
        elif line.startswith("RUN ") and stage == "builder":
            yield line[4:]


if __name__ == "__main__":
    for said in {"check": wrong, "run": run}[sys.argv[1]](*sys.argv[2:]):
        print(said)
