/* SPDX-License-Identifier: MIT */
/* See fds.h. */
#include "sandbox/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int sandbox_fds(struct err *e)
{
	int fd;

	(void)umask(022); /* cannot fail */
	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0) {
			/* A container without /dev: fine as long as 0 to 2 are there. */
			if (fcntl(0, F_GETFD) >= 0 && fcntl(1, F_GETFD) >= 0 &&
				fcntl(2, F_GETFD) >= 0) {
				break;
			}
			return err_sys(e, errno, "open /dev/null");
		}
	} while (fd <= STDERR_FILENO);
	if (fd >= 0) {
		(void)close(fd);
	}
	/* ENOSYS before Linux 5.9: leaked descriptors then stay, as in any other program. */
	if (syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, 0) < 0 && errno != ENOSYS) {
		return err_sys(e, errno, "close_range");
	}
	return 0;
}
