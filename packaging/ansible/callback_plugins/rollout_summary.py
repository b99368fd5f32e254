# SPDX-License-Identifier: GPL-2.0-or-later
# "Or later", because this file is loaded into Ansible, which is GPL-3.0-or-later.
"""Prints a table at the end of a rollout: host, wave, verdict, and reason."""

import textwrap

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: rollout_summary
type: aggregate
short_description: Verdict of a rollout on each host
description:
  - Prints the verdict of the role kvm_gmem_numa on each host, and which hosts were not touched.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "rollout_summary"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.wave = 0
        self.hosts = []
        self.wave_of = {}
        self.unreachable = set()

    def v2_playbook_on_play_start(self, play):
        """Called once per wave. Ansible hides the hosts of other waves, so ask for all of them."""
        self.wave += 1
        inventory = play.get_variable_manager()._inventory
        for host in inventory.get_hosts(play.hosts, ignore_restrictions=True):
            if host.name not in self.hosts:
                self.hosts.append(host.name)

    def seen(self, result):
        self.wave_of.setdefault(result._host.get_name(), self.wave)

    def v2_runner_on_ok(self, result):
        self.seen(result)

    def v2_runner_on_skipped(self, result):
        self.seen(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.seen(result)

    def v2_runner_on_unreachable(self, result):
        self.seen(result)
        self.unreachable.add(result._host.get_name())

    def verdict(self, host, stats):
        found = stats.custom.get(host, {}).get("kvm_gmem_numa")
        if host in self.unreachable:
            return "UNREACHABLE", "while it was %s" % found["verdict"] if found else \
                "look at it: it may be anywhere between before and after"
        if found:
            return found["verdict"], found["detail"]
        if host not in self.wave_of:
            return "not touched", "the rollout stopped before"
        if context.CLIARGS.get("check"):
            return "would do", "in check mode nothing is activated or verified"
        return "stopped", "before anything was changed, because another host failed"

    def v2_playbook_on_stats(self, stats):
        width = max([len(host) for host in self.hosts] + [4])
        line = "%%-%ds  %%4s  %%-15s  %%s" % width
        self._display.banner("ROLLOUT")
        self._display.display(line % ("host", "wave", "verdict", "detail"))
        for host in self.hosts:
            verdict, detail = self.verdict(host, stats)
            wave = str(self.wave_of.get(host, "-"))
            rows = textwrap.wrap(detail.strip(), 90) or [""]
            self._display.display(line % (host, wave, verdict, rows[0]))
            for row in rows[1:]:
                self._display.display(line % ("", "", "", row))
