MODULES += sriov
sriov_SRCS := account.c apply.c attach.c bringup.c caps.c carry.c conf.c digest.c getpfs.c \
	giveback.c kernel.c node.c number.c plan.c prepare.c saved.c select.c setting.c speed.c \
	spell.c state.c survey.c sysfs.c vfid.c vfread.c view.c wait.c
