TOOLS += rdma-ds
rdma-ds_SRCS := main.c common.c init.c init_options.c metrics.c options.c page.c reading.c serve.c
rdma-ds_MODS := ledger sriov nl http json sandbox base
rdma-ds_EXT := jsmn libmnl
# serve keeps none; init needs CAP_NET_ADMIN for the VF settings and root for sriov_numvfs.
rdma-ds_CAPS :=
