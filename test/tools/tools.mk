TEST_TOOLS += nl_dump
nl_dump_MODS := nl base
nl_dump_EXT := libmnl
