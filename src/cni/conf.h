/* SPDX-License-Identifier: MIT */
/* The network configuration that a container runtime passes on stdin. */
#ifndef CNI_CONF_H
#define CNI_CONF_H

#include <net/if.h>

#include "cni/error.h"
#include "cni/limits.h"
#include "json/read.h"

/*
 * Arena with which cni_conf_parse cannot run out, whatever the text; address space, not memory,
 * for a text of usual size.
 */
#define CNI_CONF_MEM (JSON_ARENA_WORST(CNI_CONF_MAX) + 4096)

/* What is between the keys points into the text, which must stay as long as this is used. */
struct cni_conf {
	struct json_doc doc;
	enum cni_version version;
	char name[CNI_NAME_MAX + 1];
	struct json_val ipam;             /* none: no addresses */
	char ipam_type[CNI_TYPE_MAX + 1]; /* empty: no addresses */
	struct json_val prev;             /* prevResult; none: we are the first plugin */
	struct json_val runtime;          /* runtimeConfig; none where not given */
	struct json_val annotations;      /* none: not passed; null or an object otherwise */
	struct json_val dns, args;        /* as given, or none */
	struct json_val interfaces;       /* our list of interfaces, or none */
	struct json_val delegate;         /* network for pods without RDMA, or none */
	char delegate_type[CNI_TYPE_MAX + 1];
	char prefix[CNI_PREFIX_MAX + 1];  /* ifNamePrefix, default "rdma" */
	bool account_min;                 /* min_tx_rate is "account": not given to the driver */
	uint32_t vlan, qos;               /* vlan 0: none */
	uint16_t vlan_proto;              /* NL_VLAN_* */
	uint32_t mtu;                     /* 0: the PF's */
	uint32_t ipam_timeout_ms;         /* ipamTimeoutMs, for each run of a delegated plugin */
	char node_conf[CNI_PATH_MAX + 1]; /* nodeConfig; empty: the default */
	struct err node_conf_bad;         /* CNI_CONF_LENIENT: what is wrong with nodeConfig */
};

/*
 * cni_conf_parse: check the configuration for ADD and CHECK. Keys that are not ours are the
 * runtime's or another plugin's and ignored, but one that is ours except for case, '-' and '_' is
 * an error: a misspelled setting must not be lost. CNI_ERR_DECODE: no JSON object;
 * CNI_ERR_VERSION: a version we do not speak; CNI_ERR_CONFIG: anything else. version is set as
 * soon as it is known, so that the error can be written in it.
 *
 * With CNI_CONF_LENIENT, for the commands that take things back, everything that is wrong counts as
 * not given, a missing name is empty: a mistake made since ADD must not keep a VF from going home.
 * What is no JSON object, or of a version we do not speak, is an error all the same. A nodeConfig
 * that cannot be understood is kept in node_conf_bad: there may be records where it was to lead.
 */
#define CNI_CONF_LENIENT 1u

int cni_conf_parse(struct cni_conf *c, struct str text, unsigned flags, struct arena *a,
	struct cni_fail *f) MUST_CHECK;

/* cni_conf_annotation: the pod's annotation of that name among those passed; none if not there. */
struct json_val cni_conf_annotation(const struct cni_conf *c, const char *name);

/*
 * cni_conf_version: cniVersion of a text that need not be a configuration (VERSION); what we speak
 * best when there is none, or one we do not speak.
 */
enum cni_version cni_conf_version(struct str text, struct arena *a);

/* One of the attachments that GC must keep. */
struct cni_valid {
	char container_id[CNI_ID_MAX + 1];
	char ifname[IFNAMSIZ];
};

/*
 * cni_conf_valid: "cni.dev/valid-attachments" and its misspelled twin "cni.dev/attachments": what
 * is in either of them is valid. out has CNI_VALID_MAX entries. CNI_ERR_CONFIG when both are
 * missing (null is an empty list), malformed, or too long.
 */
int cni_conf_valid(
	const struct cni_conf *c, struct cni_valid *out, size_t *n, struct cni_fail *f) MUST_CHECK;

#endif
