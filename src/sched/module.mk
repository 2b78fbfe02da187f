MODULES += sched
sched_SRCS := claims.c decide.c nodes.c render.c score.c state.c
