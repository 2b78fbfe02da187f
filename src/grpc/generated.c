/* SPDX-License-Identifier: MIT */
/* The tables that nanopb's generator made of device_plugin.proto: compiled here, with our flags. */
#include "grpc/device_plugin.pb.h"
/* NOLINTNEXTLINE(bugprone-suspicious-include): generated, not written */
#include "grpc/device_plugin.pb.c"
