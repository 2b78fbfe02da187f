MODULES += sriov
sriov_SRCS := account.c caps.c conf.c getpfs.c kernel.c node.c speed.c spell.c sysfs.c view.c
