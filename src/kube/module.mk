MODULES += kube
kube_SRCS := annotation.c args.c binding.c preempt.c reply.c
