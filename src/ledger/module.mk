MODULES += ledger
ledger_SRCS := apply.c copy.c entry.c entry_saved.c list.c lock.c read.c record.c write.c
