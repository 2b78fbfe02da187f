MODULES += place
place_SRCS := assign.c cover.c fills.c level.c problem.c reach.c search.c solve.c
