NL_SCRIPT := -Wl,--wrap=sendto,--wrap=recvmsg,--wrap=recv,--wrap=poll
test_nl_sock_LDFLAGS := $(NL_SCRIPT)
test_nl_link_LDFLAGS := $(NL_SCRIPT)
test_nl_vf_LDFLAGS := $(NL_SCRIPT)
test_nl_vf_set_LDFLAGS := $(NL_SCRIPT)
test_nl_ethtool_LDFLAGS := $(NL_SCRIPT)
test_nl_rdma_LDFLAGS := $(NL_SCRIPT)
