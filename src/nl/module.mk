MODULES += nl
nl_SRCS := addr.c announce.c ethtool.c link.c link_attr.c link_set.c msg.c rdma.c sock.c vf.c vf_set.c
nl_EXT := libmnl
