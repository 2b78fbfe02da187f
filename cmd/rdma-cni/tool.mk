TOOLS += rdma-cni
rdma-cni_SRCS := main.c add.c attach.c call.c check.c check_net.c del.c delegate.c gc.c ipam.c log.c names.c recover.c release.c \
	status.c take.c wants.c
rdma-cni_MODS := cni kube ledger sriov place nl json sandbox base
rdma-cni_EXT := jsmn libmnl
# Moving interfaces needs CAP_NET_ADMIN and CAP_SYS_ADMIN; the container runtime gives root.
rdma-cni_CAPS := net_admin sys_admin
