#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Reads the list that /getpfs gives from standard input.

  pfs.py table             prints it for a person
  pfs.py check             fails unless it has PFs, and every VF of them with all its fields
  pfs.py get PF FIELD      prints one field of a PF
  pfs.py get PF VF FIELD   prints one field of a VF
"""

import json
import sys

PF_FIELDS = ["name", "used_tx_rate", "capacity_tx_rate", "used_vfs", "capacity_vfs", "vfs"]
VF_FIELDS = ["vf", "mac", "vlan", "qos", "vlan_proto", "spoof_check", "trust", "link_state",
             "min_tx_rate", "max_tx_rate", "vgt_plus", "rate_group", "allocated"]


def table(pfs):
    head = ("VF", "MAC", "VLAN", "TRUST", "SPOOFCHK", "LINK", "MIN Mb/s", "MAX Mb/s", "STATE")
    form = "    {:>3}  {:<17}  {:>4}  {:<5}  {:<8}  {:<6}  {:>8}  {:>8}  {}"
    for pf in pfs:
        print(f"  {pf['name']}: {pf['used_vfs']} of {pf['capacity_vfs']} VFs in use, "
              f"{pf['used_tx_rate']} of {pf['capacity_tx_rate']} Mb/s reserved")
        print(form.format(*head))
        for vf in pf["vfs"]:
            print(form.format(vf["vf"], vf["mac"], vf["vlan"] or "-", vf["trust"],
                              vf["spoof_check"], vf["link_state"], vf["min_tx_rate"] or "-",
                              vf["max_tx_rate"] or "-",
                              "ALLOCATED" if vf["allocated"] else "free"))


def check(pfs):
    if not pfs:
        sys.exit("no PF in the answer")
    for pf in pfs:
        if list(pf) != PF_FIELDS:
            sys.exit(f"a PF with the fields {list(pf)}")
        if [vf["vf"] for vf in pf["vfs"]] != list(range(pf["capacity_vfs"])):
            sys.exit(f"{pf['name']}: the VFs are not 0 to {pf['capacity_vfs'] - 1}")
        for vf in pf["vfs"]:
            if list(vf) != VF_FIELDS:
                sys.exit(f"{pf['name']}: a VF with the fields {list(vf)}")


def get(pfs, name, *path):
    found = [pf for pf in pfs if pf["name"] == name]
    if len(found) != 1:
        sys.exit(f"no PF {name} in the answer")
    value = found[0]
    if len(path) == 2:
        value = value["vfs"][int(path[0])]
    print(json.dumps(value[path[-1]]).strip('"'))


def main(argv):
    if argv not in (["table"], ["check"]) and not (argv[:1] == ["get"] and len(argv) in (3, 4)):
        sys.exit(__doc__)
    {"table": table, "check": check, "get": get}[argv[0]](json.load(sys.stdin), *argv[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
