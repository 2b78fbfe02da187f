MODULES += nl
nl_SRCS := ethtool.c link.c link_attr.c msg.c rdma.c sock.c vf.c vf_set.c
nl_EXT := libmnl
