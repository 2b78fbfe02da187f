/* SPDX-License-Identifier: MIT */
/* See metrics.h. */
#include "http/metrics.h"

#include "base/version.h"
#include "http/server.h"

/* Upper bounds in microseconds: dense where a node answers, wide where it is in trouble. */
static const uint32_t bounds[HTTP_HIST_BUCKETS] = {100, 250, 500, 1000, 2500, 5000, 10000, 25000,
	50000, 100000, 250000, 500000, 1000000, 5000000};

void http_hist_add(struct http_hist *h, int64_t us)
{
	uint64_t v = us > 0 ? (uint64_t)us : 0;
	size_t i = 0;

	while (i < HTTP_HIST_BUCKETS && v > bounds[i]) {
		i++;
	}
	h->bucket[i]++;
	h->sum_us += v;
}

void http_prom_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s ", name);
	for (; *help != '\0'; help++) {
		if (*help == '\\' || *help == '\n') {
			buf_add_chr(b, '\\');
		}
		buf_add_chr(b, *help == '\n' ? 'n' : *help);
	}
	buf_printf(b, "\n# TYPE %s %s\n", name, type);
}

static void add_label(struct buf *b, const struct http_label *l)
{
	buf_add_c(b, l->name);
	buf_add(b, STR("=\""));
	for (size_t i = 0; i < l->value.n; i++) {
		char c = l->value.p[i];

		if (c == '\\' || c == '"' || c == '\n') {
			buf_add_chr(b, '\\');
		}
		buf_add_chr(b, c == '\n' ? 'n' : c);
	}
	buf_add_chr(b, '"');
}

/* "name_suffix{a="b",le="0.5"} " */
static void add_name(struct buf *b, const char *name, const char *suffix,
	const struct http_label *labels, size_t n, const char *le)
{
	buf_add_c(b, name);
	buf_add_c(b, suffix);
	if (n > 0 || le != NULL) {
		buf_add_chr(b, '{');
		for (size_t i = 0; i < n; i++) {
			buf_add_c(b, i > 0 ? "," : "");
			add_label(b, &labels[i]);
		}
		if (le != NULL) {
			struct http_label bound = {"le", str_from(le)};

			buf_add_c(b, n > 0 ? "," : "");
			add_label(b, &bound);
		}
		buf_add_chr(b, '}');
	}
	buf_add_chr(b, ' ');
}

static void add_seconds(struct buf *b, uint64_t us)
{
	buf_add_u64(b, us / 1000000);
	buf_printf(b, ".%06u", (unsigned)(us % 1000000));
}

void http_prom_u64(
	struct buf *b, const char *name, const struct http_label *labels, size_t n, uint64_t v)
{
	add_name(b, name, "", labels, n, NULL);
	buf_add_u64(b, v);
	buf_add_chr(b, '\n');
}

void http_prom_i64(
	struct buf *b, const char *name, const struct http_label *labels, size_t n, int64_t v)
{
	add_name(b, name, "", labels, n, NULL);
	buf_add_i64(b, v);
	buf_add_chr(b, '\n');
}

void http_prom_us(
	struct buf *b, const char *name, const struct http_label *labels, size_t n, uint64_t us)
{
	add_name(b, name, "", labels, n, NULL);
	add_seconds(b, us);
	buf_add_chr(b, '\n');
}

void http_prom_one(struct buf *b, const char *name, const char *type, const char *help, uint64_t v)
{
	http_prom_family(b, name, type, help);
	http_prom_u64(b, name, NULL, 0, v);
}

void http_prom_build(struct buf *b, const char *program)
{
	static const char name[] = "ferrule_build_info";
	const struct http_label l[] = {
		{"program", str_from(program)}, {"version", str_from(ferrule_version())}};

	http_prom_family(b, name, "gauge", "1, with the version of this program");
	http_prom_u64(b, name, l, ARRAY_LEN(l), 1);
}

void http_prom_hist(struct buf *b, const char *name, const struct http_label *labels, size_t n,
	const struct http_hist *h)
{
	uint64_t sum = 0;
	char text[16];
	struct buf le;

	for (size_t i = 0; i <= HTTP_HIST_BUCKETS; i++) {
		buf_init(&le, text, sizeof(text) - 1);
		if (i < HTTP_HIST_BUCKETS) {
			add_seconds(&le, bounds[i]);
		} else {
			buf_add(&le, STR("+Inf"));
		}
		text[le.n] = '\0';
		sum += h->bucket[i];
		add_name(b, name, "_bucket", labels, n, text);
		buf_add_u64(b, sum);
		buf_add_chr(b, '\n');
	}
	add_name(b, name, "_sum", labels, n, NULL);
	add_seconds(b, h->sum_us);
	buf_add_chr(b, '\n');
	add_name(b, name, "_count", labels, n, NULL);
	buf_add_u64(b, sum);
	buf_add_chr(b, '\n');
}

static struct str route_name(const struct http_server *s, size_t i)
{
	return i < s->route_n ? str_from(s->route[i].path) : STR("");
}

void http_prom_server(struct buf *b, const struct http_server *s)
{
	char class[] = "0xx";

	http_prom_family(b, "ferrule_http_requests_total", "counter",
		"Requests answered, by path (empty: none of ours) and class of the status code.");
	for (size_t i = 0; i <= s->route_n; i++) {
		for (int c = 2; c <= 5; c++) {
			class[0] = (char)('0' + c);
			struct http_label l[] = {
				{"route", route_name(s, i)}, {"code", str_from(class)}};

			http_prom_u64(b, "ferrule_http_requests_total", l, 2, s->stats[i].code[c]);
		}
	}
	http_prom_family(b, "ferrule_http_request_duration_seconds", "histogram",
		"From the first byte of a request to the last byte of its answer.");
	for (size_t i = 0; i <= s->route_n; i++) {
		struct http_label l = {"route", route_name(s, i)};

		http_prom_hist(
			b, "ferrule_http_request_duration_seconds", &l, 1, &s->stats[i].time);
	}
	http_prom_one(
		b, "ferrule_http_connections", "gauge", "Connections open now.", s->conns_now);
	http_prom_one(b, "ferrule_http_connections_limit", "gauge", "Connections at most.",
		s->conf.conns);
	http_prom_one(b, "ferrule_http_connections_accepted_total", "counter",
		"Connections accepted.", s->accepted);
	http_prom_one(b, "ferrule_http_connections_table_full_total", "counter",
		"Times that accepting stopped because the table of connections was full.",
		s->table_full);
	http_prom_one(b, "ferrule_http_accept_errors_total", "counter",
		"Times that accepting paused for want of descriptors or memory.", s->accept_errors);
}
