TOOLS += rdma-scheduler-extender
rdma-scheduler-extender_SRCS := main.c bodies.c calls.c judge.c link.c names.c options.c pages.c watch.c where.c
rdma-scheduler-extender_MODS := sched kube place http json sandbox base
rdma-scheduler-extender_EXT := jsmn
rdma-scheduler-extender_CAPS :=
