/* SPDX-License-Identifier: MIT */
/* See link_priv.h. */
#include "nl/link_priv.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

int link_attrs(
	const struct nlmsghdr *nlh, struct ifinfomsg *ifi, struct attr_walk *w, struct err *e)
{
	if (nlh->nlmsg_type != RTM_NEWLINK) {
		return err_set(
			e, EBADMSG, "link message: type %u is not RTM_NEWLINK", nlh->nlmsg_type);
	}
	if (!attr_walk_msg(nlh, sizeof(*ifi), w)) {
		return err_set(e, EBADMSG, "link message: %u bytes are too short for its header",
			nlh->nlmsg_len);
	}
	memcpy(ifi, mnl_nlmsg_get_payload(nlh), sizeof(*ifi));
	if (ifi->ifi_index <= 0) {
		return err_set(e, EBADMSG, "link message: interface index %d", ifi->ifi_index);
	}
	return 0;
}

/*
 * The true length of a VF list that starts at p, with n bytes to the end of the message; 0 if
 * there is none that fits. The kernel stores the length in 16 bits without a check
 * (nla_nest_end), so above some 300 VFs only its remainder modulo 65536 is there. Entries are
 * followed as long as there are any; the list ends behind the last one at which the remainder
 * is right. Nothing behind a list is of the entries' type: IFLA_ADDRESS comes before it.
 */
static size_t vf_list_len(const uint8_t *p, size_t n)
{
	struct attr_walk w = {p + ATTR_HDR_BYTES, n - ATTR_HDR_BYTES};
	const struct nlattr *list = (const void *)p;
	const struct nlattr *a;
	size_t len = 0;

	for (;;) {
		size_t here = n - w.n;

		if ((here & 0xffff) == list->nla_len) {
			len = here;
		}
		if (attr_next(&w, &a) <= 0 || attr_type(a) != IFLA_VF_INFO) {
			return len;
		}
	}
}

int link_attr_next(struct attr_walk *w, struct link_attr *out, struct err *e)
{
	const struct nlattr *a = (const void *)w->p;
	size_t len;
	int r;

	if (w->n >= ATTR_HDR_BYTES && attr_type(a) == IFLA_VFINFO_LIST) {
		len = vf_list_len(w->p, w->n);
		if (len == 0) {
			return err_set(e, EBADMSG,
				"link message: VF list of length %u does not end where an entry "
				"does",
				a->nla_len);
		}
		out->in = (struct attr_walk){w->p + ATTR_HDR_BYTES, len - ATTR_HDR_BYTES};
		w->p += len;
		w->n -= len;
	} else {
		r = attr_next(w, &a);
		if (r < 0) {
			return err_set(e, EBADMSG, "link message: attribute runs past the end");
		}
		if (r == 0) {
			return 0;
		}
		attr_walk_nest(a, &out->in);
	}
	out->a = a;
	out->type = attr_type(a);
	return 1;
}

void link_req(struct nl_req *q, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

	nl_req_init(q, type, flags, &ifi, sizeof(ifi));
}

int link_index_check(uint32_t ifindex, struct err *e)
{
	if (ifindex == 0 || ifindex > INT_MAX) {
		return err_set(e, EINVAL, "%u is no interface index", ifindex);
	}
	return 0;
}
