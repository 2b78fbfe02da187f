MODULES += kube
kube_SRCS := annotation.c
