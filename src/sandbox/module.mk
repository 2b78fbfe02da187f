MODULES += sandbox
sandbox_SRCS := caps.c fds.c netns.c pages.c
