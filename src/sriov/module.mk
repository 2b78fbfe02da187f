MODULES += sriov
sriov_SRCS := account.c apply.c bringup.c caps.c conf.c digest.c getpfs.c kernel.c node.c number.c plan.c \
	select.c speed.c spell.c state.c sysfs.c vfid.c view.c wait.c
