#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Facts of a host about kvm-gmem-numa, and about what is in its way. Changes nothing."""

import glob
import os
import platform
import re
import struct

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: kvm_gmem_numa_facts
short_description: Facts on which a rollout of kvm-gmem-numa is decided
description:
  - Reads the kernel, KVM, the module, live patches, Secure Boot, packages and disks.
  - Changes nothing, and does the same in check mode.
options:
  packages:
    description: Packages whose versions to report.
    type: list
    elements: str
    default: []
  kernel_packages:
    description: Start of the names of packages that each hold a module for one kernel.
    type: str
    default: ""
  cache_dir:
    description: Folder in which the role keeps the package files that it has installed.
    type: path
    default: /var/cache/kvm-gmem-numa
  certificate:
    description: Certificate of the key that modules are signed with.
    type: path
    default: /var/lib/dkms/mok.pub
  boot_id:
    description: ID of the boot that O(since) refers to.
    type: str
    default: ""
  since:
    description: Seconds since that boot. Earlier lines of the kernel log are ignored.
    type: float
    default: 0
author:
  - The kvm-gmem-numa developers
"""

EXAMPLES = """
- name: Read the facts of the host
  kvm_gmem_numa_facts:
    packages: [kvm-gmem-numa-dkms]
"""

RETURN = """
ansible_facts:
  description: One dictionary, C(kvm_gmem_numa_host).
  returned: always
  type: dict
"""

SYSFS = "/sys/module/kvm_gmem_numa"
LIVE_PATCHES = "/sys/kernel/livepatch"
# Units that load live patches, by the names that distributions give them.
LIVE_PATCH_UNITS = ("kpatch.service", "snap.canonical-livepatch.canonical-livepatchd.service")
# An operator kept earlier versions of the module from being loaded with this file, which also
# disables the udev rule.
OFF_SWITCH = "/etc/modprobe.d/kvm-gmem-numa.conf"
RULE = "/etc/udev/rules.d/80-kvm-gmem-numa.rules"
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def read(path):
    """The file's text without trailing newlines; None if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return None


def names(path):
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


def version_key(release):
    """Sort key that puts 6.1.9 before 6.1.10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in re.findall(r"\d+|[a-z]+", release)]


def kernel():
    """Kernels that can be booted; a left-over folder of modules does not count as a kernel."""
    installed = [release for release in names("/lib/modules")
                 if os.path.exists("/lib/modules/%s/modules.dep" % release)
                 and (os.path.exists("/boot/vmlinuz-" + release)
                      or os.path.exists("/lib/modules/%s/vmlinuz" % release)
                      or release == platform.release())]
    installed.sort(key=version_key)
    return {
        "running": platform.release(),
        "newest": installed[-1] if installed else platform.release(),
        "installed": installed,
        "headers": [release for release in installed
                    if os.path.exists("/lib/modules/%s/build/Makefile" % release)],
    }


def kvm_vms():
    """Running VMs, counted as the processes that have a VM's file open."""
    vms = set()
    for path in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            target = os.readlink(path)
        except OSError:
            continue
        if target == "anon_inode:kvm-vm":
            vms.add(path.split("/")[2])
    return len(vms)


def kvm():
    vendors = [name for name in ("kvm_amd", "kvm_intel") if os.path.isdir("/sys/module/" + name)]
    return {
        "device": os.path.exists("/dev/kvm"),
        "vendor": vendors[0] if vendors else "",
        "vms": kvm_vms(),
    }


def modinfo(module, release, field):
    """A field of the module that modprobe would load; None if there is none."""
    rc, out, _err = module.run_command(
        ["modinfo", "-k", release, "-F", field, "kvm_gmem_numa"])
    return None if rc else out.strip()


def module_file(module, release):
    """The module that modprobe would load. srcversion does not cover headers in other folders."""
    version = modinfo(module, release, "version")
    if version is None:
        return None
    return {"identity": "%s %s" % (version, modinfo(module, release, "srcversion")),
            "signer": modinfo(module, release, "signer")}


def module_state(module, releases):
    files = {release: module_file(module, release) for release in releases}
    return {
        "loaded": os.path.isdir(SYSFS),
        "version": read(SYSFS + "/version") or "",
        "identity": "%s %s" % (read(SYSFS + "/version"), read(SYSFS + "/srcversion"))
                    if os.path.isdir(SYSFS) else "",
        "users": int(read(SYSFS + "/refcnt") or 0),
        "features": {name: read("%s/features/%s" % (SYSFS, name)) or ""
                     for name in names(SYSFS + "/features") if name != "redirects"},
        "parameters": {name: read("%s/parameters/%s" % (SYSFS, name)) or ""
                       for name in names(SYSFS + "/parameters")},
        "files": {release: file for release, file in files.items() if file},
    }


def live_patches():
    """Live patches that are loaded, and units that load more of them."""
    return {
        "loaded": names(LIVE_PATCHES),
        "units": [unit for unit in LIVE_PATCH_UNITS
                  if any(os.path.exists("%s/systemd/system/%s" % (path, unit))
                         for path in ("/etc", "/usr/lib", "/lib"))],
    }


def redirected():
    """Functions that a live patch or another user of ftrace has redirected."""
    held = {}
    # PATCH/OBJECT/FUNCTION,SYMPOS. The object is vmlinux if KVM is built in.
    for path in glob.glob(LIVE_PATCHES + "/*/*/*,*"):
        held[os.path.basename(path).split(",")[0]] = "live patch " + path.split("/")[4]
    ours = set((read(SYSFS + "/features/redirects") or "").split())
    for tracing in ("/sys/kernel/tracing", "/sys/kernel/debug/tracing"):
        for line in (read(tracing + "/enabled_functions") or "").splitlines():
            # name [module] (count) flags: I is IPMODIFY, which at most one user per function has.
            match = re.match(r"(\S+)(?: \[\S+\])? \(\d+\)([ A-Z]*)", line)
            if match and "I" in match.group(2) and match.group(1) not in ours:
                held.setdefault(match.group(1), "ftrace, see %s/enabled_functions" % tracing)
    return held


def signing(module, certificate):
    """Whether an unsigned module would be refused, and whether the key is enrolled."""
    secure = None
    try:
        with open(SECURE_BOOT, "rb") as file:
            secure = struct.unpack("<IB", file.read(5))[1] == 1
    except (OSError, struct.error):
        pass
    lockdown = re.search(r"\[(\w+)\]", read("/sys/kernel/security/lockdown") or "[none]").group(1)
    enforced = (read("/sys/module/module/parameters/sig_enforce") or "N") == "Y"
    enrolled = None
    there = os.path.exists(certificate)
    if there and module.get_bin_path("mokutil"):
        _rc, out, err = module.run_command(["mokutil", "--test-key", certificate])
        enrolled = "already enrolled" in out + err
    return {
        "secure_boot": secure,
        "lockdown": lockdown,
        "required": enforced or lockdown != "none",
        "certificate": there,
        "enrolled": enrolled,
    }


def deb_candidate(module, package):
    """The version that apt would install; empty if there is none."""
    _rc, policy, _err = module.run_command(["apt-cache", "policy", package])
    match = re.search(r"Candidate: (\d\S*)", policy)
    return match.group(1) if match else ""


def deb_packages(module, packages, cache_dir):
    found = {}
    for package in packages:
        rc, out, _err = module.run_command(
            ["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", package])
        if rc or not out.startswith("ii"):
            continue
        version = out[2:].strip()
        files = glob.glob("%s/%s_%s_*.deb" % (cache_dir, package, version.replace(":", "%3a")))
        _rc, madison, _err = module.run_command(["apt-cache", "madison", package])
        listed = [line.split("|")[1].strip() for line in madison.splitlines() if "|" in line]
        found[package] = {"version": version, "file": files[0] if files else "",
                          "restorable": bool(files) or version in listed}
    return found


def rpm_packages(module, packages, cache_dir):
    found = {}
    for package in packages:
        rc, out, _err = module.run_command(
            ["rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", package])
        if rc:
            continue
        files = glob.glob("%s/%s-%s.*.rpm" % (cache_dir, package, out))
        rc, _out, _err = module.run_command(
            ["dnf", "-q", "list", "--available", "--showduplicates", "%s-%s" % (package, out)])
        found[package] = {"version": out, "file": files[0] if files else "",
                          "restorable": bool(files) or rc == 0}
    return found


def packages_like(module, dpkg, start):
    """Installed packages whose names begin like that."""
    command = ["dpkg-query", "-W", "-f", "${Package}\n", start + "*"] if dpkg \
        else ["rpm", "-qa", "--qf", "%{NAME}\n", start + "*"]
    _rc, out, _err = module.run_command(command)
    return out.split() if start else []


def masked():
    """Whether an operator has overridden the udev rule that loads the module."""
    rule = read(RULE)
    return rule is not None and "kmod load kvm_gmem_numa" not in rule


def config():
    """Files that the role writes, or wrote in earlier versions; None for a file that is missing."""
    files = ["/etc/modprobe.d/kvm-gmem-numa-local.conf", "/etc/modprobe.d/kvm-gmem-numa-load.conf"]
    return {path: read(path) for path in files + ([] if masked() else [RULE])}


def kept_away(module):
    """The operator's setting that keeps the module from being loaded with KVM; empty if none."""
    own = read(OFF_SWITCH)
    if own is not None and not re.search(r"^softdep .*kvm[-_]gmem[-_]numa", own, re.MULTILINE):
        return OFF_SWITCH
    if masked():
        return RULE
    _rc, out, _err = module.run_command(["modprobe", "--showconfig"])
    line = re.search(r"^(blacklist kvm_gmem_numa|install kvm_gmem_numa \S*/(false|true))\s*$",
                     out, re.MULTILINE)
    return '"%s" of modprobe' % line.group(1) if line else ""


def uptime():
    return float((read("/proc/uptime") or "0").split()[0])


def complaints(module, boot_id, since):
    """The kernel's warnings about the module: after since, or all if that was another boot."""
    if boot_id != read("/proc/sys/kernel/random/boot_id"):
        since = 0
    _rc, out, _err = module.run_command(["dmesg", "--level=emerg,alert,crit,err,warn"])
    found = []
    for line in out.splitlines():
        match = re.match(r"\[ *(\d+\.\d+)\] (.*kvm_gmem_numa.*)", line)
        # The kernel logs these two for every module that is out of tree or not signed.
        if match and float(match.group(1)) >= since and \
                not re.search("out-of-tree module|module verification failed", line):
            found.append(match.group(2))
    return found


def free_mib():
    free = {}
    for path in ("/boot", "/lib/modules", "/usr/src", "/var"):
        stat = os.statvfs(path if os.path.isdir(path) else "/")
        free[path] = stat.f_bavail * stat.f_frsize >> 20
    return free


def main():
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "default": []},
            "kernel_packages": {"type": "str", "default": ""},
            "cache_dir": {"type": "path", "default": "/var/cache/kvm-gmem-numa"},
            "certificate": {"type": "path", "default": "/var/lib/dkms/mok.pub"},
            "boot_id": {"type": "str", "default": ""},
            "since": {"type": "float", "default": 0},
        },
        supports_check_mode=True,
    )
    # modinfo is in /sbin, which is not in every user's PATH.
    module.run_command_environ_update = {"LC_ALL": "C",
                                         "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    kernels = kernel()
    dpkg = module.get_bin_path("dpkg-query")
    start = module.params["kernel_packages"]
    asked = module.params["packages"] + [start + release for release in kernels["installed"]
                                         if start]
    installed = sorted(set(asked + packages_like(module, dpkg, start)))
    packages = (deb_packages if dpkg else rpm_packages)(
        module, installed, module.params["cache_dir"])
    candidates = {package: deb_candidate(module, package) for package in asked} if dpkg else {}
    _rc, dkms, _err = module.run_command(["dkms", "--version"]) \
        if module.get_bin_path("dkms", opt_dirs=["/usr/sbin"]) else (1, "", "")
    host = {
        "arch": platform.machine(),
        "boot_id": read("/proc/sys/kernel/random/boot_id"),
        "uptime": uptime(),
        "complaints": complaints(module, module.params["boot_id"], module.params["since"]),
        "family": "Debian" if dpkg else "RedHat",
        "kernel": kernels,
        "kvm": kvm(),
        "module": module_state(module, sorted({kernels["running"], kernels["newest"]})),
        "redirected": redirected(),
        "live_patches": live_patches(),
        "signing": signing(module, module.params["certificate"]),
        "dkms": re.sub(r"^dkms[-: ]*", "", dkms.strip()),
        "packages": packages,
        "candidates": candidates,
        "config": config(),
        "kept_away": kept_away(module),
        "free_mib": free_mib(),
        "nodes": len(glob.glob("/sys/devices/system/node/node[0-9]*")) or 1,
    }
    module.exit_json(changed=False, ansible_facts={"kvm_gmem_numa_host": host})


if __name__ == "__main__":
    main()
