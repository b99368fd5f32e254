#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""options.py table ROLE: print the role's variables, from its argument specification, as a table
for docs/fleet.md. options.py differ ROLE: print the variables whose default is not that of
defaults/main.yml."""

import re
import sys

import yaml


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def specs(role):
    return load(role + "/meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def shown(value):
    if value in ("", {}, []):
        return "none"
    if isinstance(value, bool):
        return "`%s`" % str(value).lower()
    if isinstance(value, dict):
        return "<br>".join("`%s: [%s]`" % (key, ", ".join(item)) for key, item in value.items())
    return "`%s`" % value


def table(role):
    yield "| variable | default | meaning |"
    yield "| --- | --- | --- |"
    for name, spec in specs(role).items():
        text = re.sub(r"C\((.*?)\)", r"`\1`", spec["description"])
        if "choices" in spec:
            text = "%s. %s" % (", ".join("`%s`" % choice for choice in spec["choices"]), text)
        yield "| `%s` | %s | %s |" % (name, shown(spec["default"]), text)


def differ(role):
    defaults = load(role + "/defaults/main.yml")
    options = {name: spec["default"] for name, spec in specs(role).items()}
    for name in sorted(set(defaults) | set(options)):
        default, option = defaults.get(name, "missing"), options.get(name, "missing")
        if default != option:
            yield "%s: %s and %s" % (name, default, option)


if __name__ == "__main__":
    for line in {"table": table, "differ": differ}[sys.argv[1]](sys.argv[2]):
        print(line)
