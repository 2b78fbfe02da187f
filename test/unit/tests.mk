# What single unit tests need at link time: NAME_LDFLAGS.
BRINGUP_WRAP := -Wl,--wrap=log_error,--wrap=log_warn,--wrap=log_info \
	-Wl,--wrap=clock_ms,--wrap=clock_sleep_ms,--wrap=sriov_sysfs_set_num_vfs \
	-Wl,--wrap=nl_link_get,--wrap=nl_link_get_name,--wrap=nl_link_set_up \
	-Wl,--wrap=nl_link_set_addr,--wrap=nl_vf_list,--wrap=nl_vf_set_mac \
	-Wl,--wrap=nl_vf_set_trust,--wrap=nl_vf_set_spoofchk,--wrap=nl_vf_set_link_state \
	-Wl,--wrap=nl_vf_set_node_guid,--wrap=nl_vf_set_port_guid \
	-Wl,--wrap=sriov_sysfs_bind,--wrap=sriov_sysfs_unbind
test_sriov_bringup_LDFLAGS := $(BRINGUP_WRAP)
test_sriov_apply_LDFLAGS := $(BRINGUP_WRAP)
test_sriov_survey_LDFLAGS := -Wl,--wrap=nl_vf_list_name,--wrap=readlinkat,--wrap=openat
test_sriov_node_LDFLAGS := -Wl,--wrap=nl_link_get_name,--wrap=nl_vf_list \
	-Wl,--wrap=nl_ethtool_speed,--wrap=nl_rdma_open,--wrap=nl_rdma_dev_list \
	-Wl,--wrap=nl_rdma_port_list
NL_SCRIPT := -Wl,--wrap=sendto,--wrap=recvmsg,--wrap=recv,--wrap=poll
test_nl_sock_LDFLAGS := $(NL_SCRIPT)
test_nl_link_LDFLAGS := $(NL_SCRIPT)
test_nl_link_set_LDFLAGS := $(NL_SCRIPT)
test_nl_addr_LDFLAGS := $(NL_SCRIPT)
test_nl_neigh_LDFLAGS := $(NL_SCRIPT)
test_nl_announce_LDFLAGS := -Wl,--wrap=sendto
test_nl_vf_LDFLAGS := $(NL_SCRIPT)
test_nl_vf_list_LDFLAGS := $(NL_SCRIPT)
test_nl_vf_set_LDFLAGS := $(NL_SCRIPT)
test_nl_ethtool_LDFLAGS := $(NL_SCRIPT)
test_nl_rdma_LDFLAGS := $(NL_SCRIPT)
test_base_io_LDFLAGS := -Wl,--wrap=read,--wrap=write,--wrap=send
FAKE_WORLD := -Wl,--wrap=clock_ms,--wrap=clock_sleep_ms,--wrap=log_warn \
	-Wl,--wrap=sriov_sysfs_vf_at,--wrap=sriov_sysfs_probe \
	-Wl,--wrap=nl_link_get,--wrap=nl_link_get_name,--wrap=nl_link_list \
	-Wl,--wrap=nl_link_set_up,--wrap=nl_link_set_flags,--wrap=nl_link_set_addr \
	-Wl,--wrap=nl_link_set_name,--wrap=nl_link_set_mtu,--wrap=nl_link_move \
	-Wl,--wrap=nl_link_add_altname,--wrap=nl_link_del_altname \
	-Wl,--wrap=nl_vf_list_link,--wrap=nl_vf_set_mac,--wrap=nl_vf_set_trust \
	-Wl,--wrap=nl_vf_set_spoofchk,--wrap=nl_vf_set_rate,--wrap=nl_vf_set_vlan \
	-Wl,--wrap=nl_vf_set_link_state,--wrap=nl_rdma_dev_list,--wrap=nl_rdma_set_netns
test_sriov_attach_LDFLAGS := $(FAKE_WORLD)
test_sriov_prepare_LDFLAGS := $(FAKE_WORLD)
test_cni_plugin_LDFLAGS := -Wl,--wrap=execve
