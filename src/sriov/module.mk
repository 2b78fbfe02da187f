MODULES += sriov
sriov_SRCS := account.c sysfs.c
