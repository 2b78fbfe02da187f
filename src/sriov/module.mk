MODULES += sriov
sriov_SRCS := account.c sysfs.c
sriov_SRCS += conf.c speed.c
