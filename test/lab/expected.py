# SPDX-License-Identifier: MIT
"""What /getpfs must say, worked out from what iproute2 says of the same node."""

LINK_STATE = {"auto": "Follow", "enable": "Up", "disable": "Down"}
VF_FIELDS = ["vf", "mac", "vlan", "qos", "vlan_proto", "spoof_check", "trust", "link_state",
             "min_tx_rate", "max_tx_rate", "vgt_plus", "rate_group", "allocated"]
PF_FIELDS = ["name", "used_tx_rate", "capacity_tx_rate", "used_vfs", "capacity_vfs", "vfs"]


def on_off(value):
    return "ON" if value else "OFF"


def vf_of(info, allocated):
    """One VF of /getpfs from an entry of "vfinfo_list"."""
    vlan = info["vlan_list"][0]
    return {
        "vf": info["vf"], "mac": info["address"],
        "vlan": vlan.get("vlan", 0), "qos": vlan.get("qos", 0),
        "vlan_proto": vlan.get("protocol", "802.1Q") if vlan.get("vlan") else "N/A",
        "spoof_check": on_off(info["spoofchk"]), "trust": on_off(info["trust"]),
        "link_state": LINK_STATE[info["link_state"]],
        "min_tx_rate": info["rate"]["min_tx"], "max_tx_rate": info["rate"]["max_tx"],
        "vgt_plus": "OFF", "rate_group": 0, "allocated": allocated,
    }


def compare(node, pf, allocated=(), capacity=1000, used_tx_rate=None):
    """Fails unless /getpfs and ip agree on every field of the PF and of each of its VFs; the VFs
    whose numbers are in allocated, and no others, must be allocated."""
    got = node.pf(pf)
    infos = node.link(pf)["vfinfo_list"]
    assert list(got) == PF_FIELDS
    assert [v["vf"] for v in got["vfs"]] == sorted(i["vf"] for i in infos)
    for vf, info in zip(got["vfs"], sorted(infos, key=lambda i: i["vf"])):
        assert list(vf) == VF_FIELDS
        want = vf_of(info, info["vf"] in allocated)
        for field in VF_FIELDS:
            assert (type(vf[field]), vf[field]) == (type(want[field]), want[field]), \
                f"{pf}: VF {info['vf']}: {field}"
    if used_tx_rate is None:
        used_tx_rate = sum(i["rate"]["min_tx"] for i in infos if i["vf"] in allocated)
    assert got["used_tx_rate"] == used_tx_rate
    assert got["capacity_tx_rate"] == capacity
    assert got["capacity_vfs"] == len(infos)
    assert got["used_vfs"] == len(allocated)
    return got
