MODULES += nl
nl_SRCS := addr.c announce.c devconf.c ethtool.c link.c link_attr.c link_set.c msg.c neigh.c rdma.c route.c \
	sock.c vf.c vf_set.c
nl_EXT := libmnl
