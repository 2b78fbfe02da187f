MODULES += sched
sched_SRCS := chain.c claims.c decide.c nodes.c order.c preempt.c render.c score.c state.c
# Thousands of nodes' replies go through it in one call of a scheduler.
$(O_rel)/src/sched/state.o: OBJ_CPP := -O2
