# SPDX-License-Identifier: MIT
# Programs that only tests use: built like those of cmd/, from test/tools/NAME.c and the modules
# NAME_MODS.
TEST_TOOLS += http_echo nl_dump
http_echo_MODS := http base
nl_dump_MODS := nl base
nl_dump_EXT := libmnl
