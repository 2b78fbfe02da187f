test_sriov_node_LDFLAGS := -Wl,--wrap=nl_link_get_name,--wrap=nl_vf_list \
	-Wl,--wrap=nl_ethtool_speed,--wrap=nl_rdma_open,--wrap=nl_rdma_dev_list \
	-Wl,--wrap=nl_rdma_port_list
