MODULES += sriov
sriov_SRCS := account.c apply.c bringup.c caps.c getpfs.c kernel.c node.c number.c plan.c spell.c \
	select.c state.c sysfs.c vfid.c view.c wait.c
