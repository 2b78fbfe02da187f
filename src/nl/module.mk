MODULES += nl
nl_SRCS := devconf.c ethtool.c link.c link_attr.c msg.c rdma.c sock.c vf.c vf_set.c
nl_EXT := libmnl
