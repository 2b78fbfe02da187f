MODULES += ledger
ledger_SRCS := apply.c read.c record.c
