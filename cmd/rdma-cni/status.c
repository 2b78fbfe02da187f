/* SPDX-License-Identifier: MIT */
/* STATUS: whether an ADD could work. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "call.h"
#include "delegate.h"
#include "ipam.h"
#include "take.h"

static int check_state(struct call *c)
{
	if (ledger_open(&c->store, c->node.state_dir, &c->fail.e) < 0) {
		return cni_fail(&c->fail, CNI_ERR_UNAVAILABLE);
	}
	if (faccessat(c->store.dir, ".", W_OK, AT_EACCESS) < 0) {
		(void)err_sys(&c->fail.e, errno, "%s", c->node.state_dir);
		return cni_fail(&c->fail, CNI_ERR_UNAVAILABLE);
	}
	return 0;
}

/* VFs that pods have, or could have now: a node that is full is no node that does not work. */
static size_t count_usable(const struct sriov_node *n, const struct sriov_pf *pf)
{
	size_t usable = 0;

	for (size_t i = 0; i < pf->vf_n; i++) {
		const struct sriov_vf *vf = &n->vf[pf->vf_first + i];

		usable += take_usable(vf) || vf->holder != NULL ? 1 : 0;
	}
	return usable;
}

static int check_hardware(struct call *c)
{
	struct sriov_node *n;
	struct ledger *l;
	size_t usable = 0, up = 0;
	char text[128];
	const char *why = "the node has no SR-IOV capable PF that may be used";

	if (take_node(c, &n, &l) < 0) {
		c->fail.code = CNI_ERR_UNAVAILABLE;
		return -c->fail.e.code;
	}
	for (size_t i = 0; i < n->pf_n; i++) {
		const struct sriov_pf *pf = &n->pf[i];

		if (pf->problem[0] != '\0') {
			why = pf->problem;
		} else if (pf->vf_n == 0) {
			why = usable == 0 ? "no VF is enabled on any PF" : why;
		} else if (count_usable(n, pf) == 0) {
			(void)snprintf(text, sizeof(text),
				"no VF of %s can be given to a pod; the first one is: %s", pf->name,
				sriov_vf_state_name(n->vf[pf->vf_first].state));
			why = text;
		} else {
			usable++;
			up += pf->link_up ? 1 : 0;
		}
	}
	if (usable == 0) {
		return cni_fail_set(&c->fail, CNI_ERR_UNAVAILABLE, ENODEV, "%s", why);
	}
	if (up == 0) {
		return cni_fail_set(&c->fail, CNI_ERR_LIMITED, ENETDOWN,
			"the link of every PF with VFs is down");
	}
	return 0;
}

static int check_ipam(struct call *c)
{
	const struct ipam_for who = {
		.type = c->conf.ipam_type, .container_id = "", .ifname = "", .netns = ""};
	int r;

	if (c->conf.ipam_type[0] == '\0') {
		return 0;
	}
	r = ipam_run(c, CNI_STATUS, &who, c->text);
	if (r < 0 && c->fail.code == CNI_ERR_ENV) {
		c->fail = (struct cni_fail)CNI_FAIL_INIT; /* a plugin from before STATUS */
		return 0;
	}
	if (r < 0 && c->fail.code != CNI_ERR_LIMITED) {
		c->fail.code = CNI_ERR_UNAVAILABLE;
	}
	return r;
}

int status_run(struct call *c)
{
	int r = call_node_conf(c);

	if (r < 0) {
		c->fail.code = CNI_ERR_UNAVAILABLE;
		return r;
	}
	r = check_state(c);
	r = r < 0 ? r : check_hardware(c);
	r = r < 0 ? r : check_ipam(c);
	return r < 0 ? r : delegate_status(c);
}
