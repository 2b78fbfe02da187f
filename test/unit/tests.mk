# What single unit tests need at link time: NAME_LDFLAGS.
test_base_io_LDFLAGS := -Wl,--wrap=read,--wrap=write,--wrap=send
