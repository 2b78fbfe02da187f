MODULES += place
place_SRCS := assign.c level.c problem.c reach.c search.c
