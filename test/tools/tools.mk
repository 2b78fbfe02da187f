# SPDX-License-Identifier: MIT
# Programs that only tests and benchmarks use: built like those of cmd/, from NAME_SRC (test/tools/NAME.c if
# not given) and the modules NAME_MODS.
TEST_TOOLS += http_echo
http_echo_MODS := http base
TEST_TOOLS += http_load
http_load_SRC := test/bench/http_load.c
http_load_MODS := http base
