/* SPDX-License-Identifier: MIT */
/* See error.h. */
#include "cni/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "json/write.h"

int cni_fail(struct cni_fail *f, uint32_t code)
{
	if (f->code == 0) {
		f->code = code;
	}
	return f->e.code != 0 ? -f->e.code : -1;
}

int cni_fail_set(struct cni_fail *f, uint32_t code, int errnum, const char *fmt, ...)
{
	char msg[sizeof(f->e.msg)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap); /* cut when too long, as err_set does */
	va_end(ap);
	f->code = code;
	f->details[0] = '\0';
	return err_set(&f->e, errnum, "%s", msg);
}

void cni_error_write(struct buf *b, enum cni_version v, const struct cni_fail *f)
{
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "cniVersion", cni_version_name(v));
	json_put_u64(&w, "code", f->code != 0 ? f->code : CNI_ERR_IO);
	json_put_cstr(&w, "msg", f->e.msg);
	if (f->details[0] != '\0') {
		json_put_cstr(&w, "details", f->details);
	}
	json_put_end_object(&w);
	(void)!json_writer_done(&w); /* the overflow flag stays in b for the caller */
}
