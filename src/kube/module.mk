MODULES += kube
kube_SRCS := annotation.c args.c preempt.c reply.c
