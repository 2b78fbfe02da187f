/* SPDX-License-Identifier: MIT */
/* See wants.h. */
#include "wants.h"

#include <errno.h>
#include <string.h>

#include "json/value.h"
#include "kube/annotation.h"

/* One list of interfaces, wherever it stood. */
static int parse(struct call *c, struct str text, const char *source, struct wants *w)
{
	struct kube_annotation list;

	w->source = source;
	if (kube_annotation_parse(text, &c->mem, &list, &c->fail.e) < 0) {
		(void)err_wrap(&c->fail.e, "%s", source);
		return call_code(c, CNI_ERR_REQUEST);
	}
	w->n = list.n;
	for (size_t i = 0; i < w->n; i++) {
		w->req[i] = list.req[i];
		if (w->req[i].max > SRIOV_RATE_MAX) {
			w->req[i].max = 0; /* no port is that fast: it caps nothing */
		}
	}
	return 1;
}

/* 1: known, 0: this source does not know. */
static int from_annotations(struct call *c, struct wants *w)
{
	struct json_val v;
	struct str text;

	if (json_type(c->conf.annotations) == JSON_NONE) {
		return 0;
	}
	/* Annotations were passed, so this is all the pod asks for; null: it has none at all. */
	v = cni_conf_annotation(&c->conf, KUBE_ANNOTATION_KEY);
	if (json_type(v) == JSON_NONE) {
		w->source = "the pod has no annotation " KUBE_ANNOTATION_KEY;
		w->n = 0;
		return 1;
	}
	if (json_type(v) != JSON_STRING || json_str(v, &c->mem, &text, &c->fail.e) < 0) {
		(void)json_wrong(v, &c->fail.e, "a string");
		return call_code(c, CNI_ERR_REQUEST);
	}
	return parse(c, text, "annotation " KUBE_ANNOTATION_KEY, w);
}

/*
 * The API server: the pod by namespace and name, its uid compared with K8S_POD_UID. There is no
 * client for it in this program: this source never knows.
 */
static int from_api(struct call *c, struct wants *w)
{
	(void)c;
	(void)w;
	return 0;
}

static int from_conf(struct call *c, struct wants *w)
{
	if (json_type(c->conf.interfaces) == JSON_NONE) {
		return 0;
	}
	return parse(c, json_raw(c->conf.interfaces), "interfaces of the network configuration", w);
}

int wants_read(struct call *c, struct wants *w)
{
	int r = from_annotations(c, w);

	r = r != 0 ? r : from_api(c, w);
	r = r != 0 ? r : from_conf(c, w);
	if (r != 0) {
		return r < 0 ? r : 0;
	}
	if (c->env.pod_name[0] != '\0') {
		return cni_fail_set(&c->fail, CNI_ERR_CONFIG, ENODATA,
			"it is not known what the pod asks for: the runtime passes no annotations; "
			"declare the capability io.kubernetes.cri.pod-annotations in the network "
			"configuration (containerd 1.6, CRI-O 1.29)");
	}
	w->source = "no pod, and no interfaces in the network configuration";
	w->n = 0;
	return 0;
}
