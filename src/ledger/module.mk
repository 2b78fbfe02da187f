MODULES += ledger
ledger_SRCS := apply.c lock.c read.c record.c
