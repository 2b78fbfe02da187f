# SPDX-License-Identifier: MIT
# Programs that only tests use: built like those of cmd/, from test/tools/NAME.c and the modules NAME_MODS.
TEST_TOOLS += http_echo
http_echo_MODS := http base
