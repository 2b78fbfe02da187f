/* SPDX-License-Identifier: MIT */
/* Logging to stderr: "YYYY/MM/DD HH:MM:SS message", one write a line. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"
#include "base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/*
 * Lines above the level (default LOG_INFO) are dropped. The time is local time, as in the log
 * lines operators already match on. error and warning lines carry "error: " / "warning: " before
 * the message; info lines are the message alone; debug lines carry "debug: ". Control characters
 * in a message, and those that change the direction of text, become '?'; a line over 1,000 bytes is
 * cut.
 */
void log_set_level(enum log_level level);
bool log_parse_level(struct str s, enum log_level *out) MUST_CHECK; /* error warn info debug */

void log_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * log_always: as log_info, but whatever the level: the line that says that the program is there,
 * and where. Scripts and people wait for it.
 */
void log_always(const char *fmt, ...) PRINTF_LIKE(1, 2);

/*
 * log_set_sink: hand every line (without time and newline, "error: " and the like included) to sink
 * instead of writing it to stderr; NULL: to stderr again.
 */
typedef void log_sink_fn(enum log_level level, struct str line);
void log_set_sink(log_sink_fn *sink);

/*
 * log_init: read the time zone now, while the file system is still reachable (a sandboxed process
 * cannot open /etc/localtime later). Optional.
 */
void log_init(void);

#endif
