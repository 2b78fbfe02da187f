/* SPDX-License-Identifier: MIT */
/* ExtenderBindingArgs and ExtenderBindingResult: see extender.h and reply.h. */
#include <errno.h>

#include "json/write.h"
#include "kube/args_priv.h"
#include "kube/reply.h"

int kube_binding_find(struct str body, struct kube_binding *out, struct err *e)
{
	struct kube_args none = {.n = 0};
	struct kube_walk w;
	struct str key;
	int r = kube_walk_begin(&w, body, &none, e);

	*out = (struct kube_binding){.pod = STR_INIT};
	while (r >= 0 && w.c.depth > 0 && (r = json_cur_member(&w.c, &key)) > 0) {
		if (json_key_is(key, "PodName")) {
			r = kube_text(&w, &out->pod, "PodName is no string");
		} else if (json_key_is(key, "PodNamespace")) {
			r = kube_text(&w, &out->namespace, "PodNamespace is no string");
		} else if (json_key_is(key, "PodUID")) {
			r = kube_text(&w, &out->uid, "PodUID is no string");
		} else if (json_key_is(key, "Node")) {
			r = kube_text(&w, &out->node, "Node is no string");
		} else {
			r = json_cur_skip(&w.c, NULL);
		}
	}
	if (r >= 0) {
		r = json_cur_end(&w.c);
	}
	none.pod.present = true; /* this message has none */
	r = kube_walk_end(&w, r, e);
	if (r == 0 && (out->pod.n == 0 || out->namespace.n == 0 || out->node.n == 0)) {
		return err_set(e, EPROTO, "PodName, PodNamespace or Node is missing");
	}
	return r;
}

void kube_binding_reply(struct buf *b, const char *why)
{
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "Error", why == NULL ? "" : why);
	json_put_end_object(&w);
}
