MODULES += base
base_SRCS := arena.c assert.c buf.c clock.c command.c err.c file.c io.c lock.c log.c loop.c num.c opts.c parse.c \
	str.c version.c
