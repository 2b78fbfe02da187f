MODULES += http
http_SRCS := chunk.c fields.c parse.c
