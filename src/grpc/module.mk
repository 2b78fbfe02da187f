MODULES += grpc
grpc_SRCS := generated.c
grpc_EXT := nghttp2 nanopb
grpc_GEN := $(B)/gen/grpc/device_plugin.pb.h
