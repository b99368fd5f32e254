// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case PASS:
		return "pass";
	case FAIL:
		return "fail";
	case NOT_SHOWN:
		return "not-shown";
	case NOT_RUN:
		break;
	}
	return "not-run";
}

static const char *works_name(enum works works)
{
	return works == YES ? "yes" : works == NO ? "no" : "not tried";
}

void report_verdict(struct report *report, enum verdict verdict, const char *fmt, ...)
{
	va_list args;

	/* A fault matters more than a result that cannot be shown. */
	if (report->verdict != PASS && !(report->verdict == NOT_SHOWN && verdict == FAIL))
		return;
	report->verdict = verdict;
	va_start(args, fmt);
	vsnprintf(report->reason, sizeof(report->reason), fmt, args);
	va_end(args);
}

static void table_row(const struct nodes *nodes, const struct row *row)
{
	char asked[64];
	int i;

	if (row->placing == PLACE_BIND)
		snprintf(asked, sizeof(asked), "bind to node %d", row->node);
	else
		snprintf(asked, sizeof(asked), "interleave %d nodes", nodes->count);
	printf("  %-22s %7lu   ", asked, row->pages);
	if (row->wrong)
		printf("%lu NOT  ", row->wrong);
	else
		printf("%s", row->private ? "yes       " : "every page");
	for (i = 0; i < nodes->count; i++) {
		if (row->found[i])
			printf("   node %d: %lu", nodes->id[i], row->found[i]);
	}
	printf("\n");
}

void report_table(const struct report *report)
{
	int i;

	printf("Linux %s, ", report->kernel);
	if (report->module[0])
		printf("kvm-gmem-numa %s, ", report->module);
	else
		printf("kvm-gmem-numa not loaded, ");
	printf("%d node%s with memory for guests\n", report->nodes.count,
	       report->nodes.count == 1 ? "" : "s");
	for (i = 0; i < report->movable.count; i++)
		printf("node %d is all ZONE_MOVABLE: it cannot hold guest memory, and is not tested\n",
		       report->movable.id[i]);
	printf("\n");

	printf("  %-15s %-10s %s\n", "feature", "works", "reported");
	for (i = 0; i < FEATURES; i++)
		printf("  %-15s %-10s %s\n", report->feature[i].name,
		       works_name(report->feature[i].works),
		       report->feature[i].reported[0] ? report->feature[i].reported : "-");

	if (report->rows)
		printf("\n  %-22s %7s   %-10s   found\n", "asked for", "pages", "as asked");
	for (i = 0; i < report->rows; i++)
		table_row(&report->nodes, report->row[i]);

	printf("\n%s: %s\n", verdict_name(report->verdict), report->reason);
}

static void json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < ' ')
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void json_row(const struct nodes *nodes, const struct row *row)
{
	const char *comma = "";
	int i;

	printf("{\"policy\": \"%s\", \"nodes\": [", row->placing == PLACE_BIND ? "bind" : "interleave");
	for (i = 0; i < nodes->count; i++) {
		if (row->placing == PLACE_BIND && nodes->id[i] != row->node)
			continue;
		printf("%s%d", comma, nodes->id[i]);
		comma = ", ";
	}
	printf("], \"private\": %s, \"pages\": %lu, \"wrong\": %lu, \"found\": {", row->private ? "true" : "false", row->pages, row->wrong);
	for (i = 0; i < nodes->count; i++)
		printf("%s\"%d\": %lu", i ? ", " : "", nodes->id[i], row->found[i]);
	printf("}}");
}

static const char *json_works(enum works works)
{
	return works == YES ? "true" : works == NO ? "false" : "null";
}

void report_json(const struct report *report)
{
	int i;

	printf("{\"verdict\": \"%s\", \"reason\": ", verdict_name(report->verdict));
	json_string(report->reason);
	printf(", \"kernel\": ");
	json_string(report->kernel);
	printf(", \"module\": ");
	json_string(report->module);
	printf(", \"nodes\": %d, \"movable_nodes\": [", report->nodes.count);
	for (i = 0; i < report->movable.count; i++)
		printf("%s%d", i ? ", " : "", report->movable.id[i]);
	printf("], \"features\": {");
	for (i = 0; i < FEATURES; i++) {
		printf("%s\"%s\": {\"reported\": ", i ? ", " : "", report->feature[i].name);
		json_string(report->feature[i].reported);
		printf(", \"works\": %s}", json_works(report->feature[i].works));
	}
	printf("}, \"placement\": [");
	for (i = 0; i < report->rows; i++) {
		printf("%s", i ? ", " : "");
		json_row(&report->nodes, report->row[i]);
	}
	printf("]}\n");
}
