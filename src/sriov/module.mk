MODULES += sriov
sriov_SRCS := account.c caps.c getpfs.c kernel.c node.c spell.c sysfs.c view.c
