/* SPDX-License-Identifier: MIT */
/* See version.h. */
#include "cni/version.h"

#include "json/write.h"

static const char *const names[CNI_VERSIONS] = {
	"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"};

const char *cni_version_name(enum cni_version v)
{
	return names[v];
}

bool cni_version_parse(struct str s, enum cni_version *out)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_eq_c(s, names[i])) {
			*out = (enum cni_version)i;
			return true;
		}
	}
	return false;
}

enum cni_shape cni_version_shape(enum cni_version v)
{
	if (v <= CNI_0_2_0) {
		return CNI_SHAPE_IP4;
	}
	return v <= CNI_0_4_0 ? CNI_SHAPE_IPS_FAMILY : CNI_SHAPE_IPS;
}

void cni_version_reply(struct buf *b, enum cni_version asked)
{
	struct json_writer w;

	json_writer_init(&w, b);
	json_put_object(&w, NULL);
	json_put_cstr(&w, "cniVersion", names[asked]);
	json_put_array(&w, "supportedVersions");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_put_cstr(&w, NULL, names[i]);
	}
	json_put_end_array(&w);
	json_put_end_object(&w);
	(void)!json_writer_done(&w); /* the overflow flag stays in b for the caller */
}
