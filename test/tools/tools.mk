# SPDX-License-Identifier: MIT
# Programs that only tests and benchmarks use: built like those of cmd/, each from one file
# (NAME_SRC, test/tools/NAME.c if not given) and the modules NAME_MODS.
TEST_TOOLS += bench_getpfs
bench_getpfs_SRC := test/bench/bench_getpfs.c
bench_getpfs_MODS := sriov nl json base
bench_getpfs_EXT := jsmn libmnl

TEST_TOOLS += bench_place
bench_place_SRC := test/bench/bench_place.c
bench_place_MODS := place base

TEST_TOOLS += http_echo
http_echo_MODS := http base

TEST_TOOLS += http_load
http_load_SRC := test/bench/http_load.c
http_load_MODS := http base

TEST_TOOLS += nl_dump
nl_dump_MODS := nl base
nl_dump_EXT := libmnl

TEST_TOOLS += sim_nodes
sim_nodes_SRC := test/bench/sim_nodes.c
sim_nodes_MODS := http json base
sim_nodes_EXT := jsmn

TEST_TOOLS += killat
killat_MODS := base
TEST_TOOLS += vf_attach
vf_attach_MODS := ledger sriov sandbox nl json base
vf_attach_EXT := jsmn libmnl

TEST_TOOLS += peak
peak_MODS := base

TEST_TOOLS += justmove
justmove_MODS := sandbox nl base
justmove_EXT := libmnl
