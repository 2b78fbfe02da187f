MODULES += grpc
grpc_SRCS := call.c client.c conn.c dp.c generated.c server.c wire.c
grpc_EXT := nghttp2 nanopb
grpc_GEN := $(B)/gen/grpc/device_plugin.pb.h
