MODULES += place
place_SRCS := assign.c level.c problem.c search.c
