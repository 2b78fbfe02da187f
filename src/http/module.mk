MODULES += http
http_SRCS := chunk.c client.c conn.c fields.c listen.c metrics.c parse.c response.c server.c stop.c
