/* SPDX-License-Identifier: MIT */
/* See log.h. */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

#define DEV_LOG "/dev/log"
#define DAEMON  (3 << 3) /* facility */

/* One call a process: the log is as process-wide as stderr. */
static const struct cni_env *who;
static int log_fd = -1;

static int priority(enum log_level level)
{
	static const int severity[] = {3, 4, 6, 7};

	return DAEMON | severity[level];
}

static void to_system_log(enum log_level level, const char *line, size_t n)
{
	char text[1400], when[32] = "";
	time_t now = time(NULL);
	struct tm tm = {0};
	int head;

	if (log_fd < 0 || localtime_r(&now, &tm) == NULL ||
		strftime(when, sizeof(when), "%b %e %H:%M:%S", &tm) == 0) {
		return;
	}
	head = snprintf(text, sizeof(text), "<%d>%s rdma-cni[%d]: %.*s", priority(level), when,
		(int)getpid(), (int)n, line);
	if (head > 0) {
		/* MSG_DONTWAIT: a full log must not hold up a pod. */
		(void)send(log_fd, text,
			(size_t)head < sizeof(text) ? (size_t)head : sizeof(text) - 1,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	}
}

static void sink(enum log_level level, struct str s)
{
	char line[1300];
	int n = snprintf(line, sizeof(line), "RIT-CNI %s %.64s%s%s%s%s%s%s: %.*s\n",
		cni_command_name(who->command),
		who->container_id[0] != '\0' ? who->container_id : "-",
		who->ifname[0] != '\0' ? ":" : "", who->ifname,
		who->pod_name[0] != '\0' ? " pod " : "", who->pod_namespace,
		who->pod_namespace[0] != '\0' && who->pod_name[0] != '\0' ? "/" : "", who->pod_name,
		STR_ARG(s));

	if (n <= 0) {
		return;
	}
	if ((size_t)n >= sizeof(line)) {
		n = (int)sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	/* Variables of the environment are in it, too. */
	for (int i = 0; i < n - 1; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
			line[i] = '?';
		}
	}
	(void)!io_write_all(STDERR_FILENO, line, (size_t)n); /* nowhere to report it */
	to_system_log(level, line, (size_t)n - 1);
}

void cni_log_open(const struct cni_env *env)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = DEV_LOG};

	who = env;
	log_init();
	log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (log_fd >= 0 && connect(log_fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		cleanup_fd_close(&log_fd); /* nobody listens: stderr alone */
		log_fd = -1;
	}
	log_set_sink(sink);
}
