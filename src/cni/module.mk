MODULES += cni
cni_SRCS := addr.c conf.c conf_own.c env.c error.c exec.c ipam.c plugin.c result.c rewrite.c version.c
