/* SPDX-License-Identifier: MIT */
/* See log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"

/* Process-wide by nature, like stderr itself. */
static enum log_level max_level = LOG_INFO;
static log_sink_fn *log_sink;

void log_set_sink(log_sink_fn *sink)
{
	log_sink = sink;
}

void log_set_level(enum log_level level)
{
	max_level = level;
}

bool log_parse_level(struct str s, enum log_level *out)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_eq_c(s, names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_init(void)
{
	tzset();
}

/* The time in front of a line; how many bytes. */
static size_t put_time(char *line, size_t cap)
{
	time_t now = time(NULL);
	struct tm tm = {0};
	int r;

	/* On failure the line carries the year 1900, and still goes out. */
	(void)localtime_r(&now, &tm);
	r = snprintf(line, cap, "%04d/%02d/%02d %02d:%02d:%02d ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	ASSERT(r > 0 && (size_t)r < cap);
	return (size_t)r;
}

/*
 * Bytes of a character that does something to a terminal or to the order of a line: controls, C1
 * controls (U+0080 to 9F), and what changes the direction of text (U+200E, 200F, 202A to 202E, 2066
 * to 2069), which makes a line read as another one.
 */
static size_t controls(const char *p, size_t n)
{
	unsigned char a = (unsigned char)p[0], b = n > 1 ? (unsigned char)p[1] : 0,
		      c = n > 2 ? (unsigned char)p[2] : 0;

	if (a < 0x20 || a == 0x7f) {
		return 1;
	}
	if (a == 0xc2 && b >= 0x80 && b <= 0x9f) {
		return 2;
	}
	if (a == 0xe2 && b == 0x80 && (c == 0x8e || c == 0x8f || (c >= 0xaa && c <= 0xae))) {
		return 3;
	}
	return a == 0xe2 && b == 0x81 && c >= 0xa6 && c <= 0xa9 ? 3 : 0;
}

PRINTF_LIKE(3, 0)
static void log_line(enum log_level level, const char *prefix, const char *fmt, va_list ap)
{
	char line[1000];
	size_t n = 0;
	int r;

	if (log_sink == NULL) {
		n = put_time(line, sizeof(line));
	}
	r = snprintf(line + n, sizeof(line) - n, "%s", prefix);
	ASSERT(r >= 0 && n + (size_t)r < sizeof(line));
	n += (size_t)r;
	r = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	if (r < 0) {
		return;
	}
	n = n + (size_t)r < sizeof(line) ? n + (size_t)r : sizeof(line) - 1;
	for (size_t i = 0; i < n; i++) {
		for (size_t bad = controls(line + i, n - i); bad > 0; bad--) {
			line[i + bad - 1] = '?';
		}
	}
	if (log_sink != NULL) {
		log_sink(level, (struct str){line, n});
		return;
	}
	line[n] = '\n';
	(void)!io_write_all(STDERR_FILENO, line, n + 1); /* nowhere to report it */
}

#define LOG_FUNCTION(name, level, always, prefix)                                                  \
	void name(const char *fmt, ...)                                                            \
	{                                                                                          \
		va_list ap;                                                                        \
                                                                                                   \
		va_start(ap, fmt);                                                                 \
		if ((always) || (level) <= max_level) {                                            \
			log_line(level, prefix, fmt, ap);                                          \
		}                                                                                  \
		va_end(ap);                                                                        \
	}

LOG_FUNCTION(log_error, LOG_ERROR, false, "error: ")
LOG_FUNCTION(log_warn, LOG_WARN, false, "warning: ")
LOG_FUNCTION(log_info, LOG_INFO, false, "")
LOG_FUNCTION(log_debug, LOG_DEBUG, false, "debug: ")
LOG_FUNCTION(log_always, LOG_INFO, true, "")
