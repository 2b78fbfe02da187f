TOOLS += rdma-dummy-dp
rdma-dummy-dp_SRCS := main.c devices.c kubelet.c metrics.c options.c ownsock.c service.c watch.c
rdma-dummy-dp_MODS := grpc http sandbox base
rdma-dummy-dp_EXT := nghttp2 nanopb
# None: it needs write access to the kubelet's folder and no more.
rdma-dummy-dp_CAPS :=
