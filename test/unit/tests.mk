test_sriov_node_LDFLAGS := -Wl,--wrap=nl_link_get_name,--wrap=nl_vf_list \
	-Wl,--wrap=nl_ethtool_speed,--wrap=nl_rdma_open,--wrap=nl_rdma_dev_list \
	-Wl,--wrap=nl_rdma_port_list
NL_SCRIPT := -Wl,--wrap=sendto,--wrap=recvmsg,--wrap=recv,--wrap=poll
test_nl_sock_LDFLAGS := $(NL_SCRIPT)
test_nl_link_LDFLAGS := $(NL_SCRIPT)
test_nl_vf_LDFLAGS := $(NL_SCRIPT)
test_nl_vf_set_LDFLAGS := $(NL_SCRIPT)
test_nl_ethtool_LDFLAGS := $(NL_SCRIPT)
test_nl_rdma_LDFLAGS := $(NL_SCRIPT)
