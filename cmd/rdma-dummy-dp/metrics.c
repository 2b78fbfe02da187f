/* SPDX-License-Identifier: MIT */
/* See metrics.h. */
#include "metrics.h"

static void put_states(struct buf *b, const struct kubelet *k)
{
	static const char name[] = "ferrule_dp_state";

	http_prom_family(b, name, "gauge", "1 for the state the plugin is in");
	for (int i = KUBELET_WAITING; i <= KUBELET_STANDBY; i++) {
		enum kubelet_state s = (enum kubelet_state)i;
		struct http_label l = {"state", str_from(kubelet_state_name(s))};

		http_prom_u64(b, name, &l, 1, k->state == s ? 1 : 0);
	}
}

static void put_calls(struct buf *b, const struct grpc_server *s)
{
	static const char name[] = "ferrule_dp_calls_total";

	http_prom_family(b, name, "counter", "Calls that have ended, by status");
	for (int i = 0; i < GRPC_STATUSES; i++) {
		struct http_label l = {"status", str_from(grpc_status_name((enum grpc_status)i))};

		http_prom_u64(b, name, &l, 1, s->ended[i]);
	}
	http_prom_one(b, "ferrule_dp_connections", "gauge", "Connections to the plugin's socket",
		s->conns_now);
	http_prom_one(b, "ferrule_dp_connections_accepted_total", "counter", "Connections accepted",
		s->accepted);
	http_prom_one(b, "ferrule_dp_connections_refused_total", "counter",
		"Connections without room", s->refused);
}

bool metrics_render(struct buf *b, const struct kubelet *k, const struct service *s,
	const struct http_server *http)
{
	const struct devices *d = s->devices;

	http_prom_build(b, "rdma-dummy-dp");
	put_states(b, k);
	http_prom_one(b, "ferrule_dp_streams", "gauge", "Open ListAndWatch streams", s->stream_n);
	http_prom_one(b, "ferrule_dp_devices", "gauge", "Devices advertised", d->count);
	http_prom_one(b, "ferrule_dp_healthy", "gauge", "1 while they are advertised as healthy",
		d->healthy ? 1 : 0);
	http_prom_one(
		b, "ferrule_dp_nodes", "gauge", "Character devices in the device folder", d->n);
	http_prom_one(b, "ferrule_dp_registrations_total", "counter", "Registrations accepted",
		k->registrations);
	http_prom_one(b, "ferrule_dp_registration_failures_total", "counter",
		"Registrations that failed", k->failures);
	http_prom_one(b, "ferrule_dp_lists_total", "counter", "Device lists sent", s->lists);
	http_prom_one(b, "ferrule_dp_allocations_total", "counter", "Allocate calls answered",
		s->allocations);
	http_prom_one(b, "ferrule_dp_allocation_failures_total", "counter",
		"Allocate calls refused", s->allocation_failures);
	put_calls(b, k->server);
	http_prom_server(b, http);
	return buf_ok(b);
}
