/* SPDX-License-Identifier: GPL-2.0-only */
/* What was found, as a table for a person or as JSON for a program. */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include <stdbool.h>

#include "nodes.h"

/* The exit status. 77 is what test harnesses take as "skipped". */
enum verdict { PASS = 0, FAIL = 1, NOT_RUN = 2, NOT_SHOWN = 77 };

enum works { NO, YES, NOT_TRIED };

#define FEATURES 3
#define ROWS_MAX (NODES_MAX + 1)

struct feature {
	const char *name;
	char reported[128];	/* by the module; empty: it is not loaded */
	enum works works;
};

struct row {
	enum placing placing;
	int node;		/* asked for, with PLACE_BIND */
	unsigned long pages;
	unsigned long found[NODES_MAX];	/* as nodes->id[] */
	unsigned long wrong;
};

struct report {
	char kernel[128];
	char module[64];	/* its version; empty: it is not loaded */
	struct feature feature[FEATURES];
	struct nodes nodes;
	struct nodes movable;	/* not tested */
	int rows;
	struct row *row[ROWS_MAX];
	enum verdict verdict;
	char reason[256];
};

/* Settle the verdict, which the first to say something worse than PASS does. */
void report_verdict(struct report *report, enum verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void report_table(const struct report *report);
void report_json(const struct report *report);

#endif /* CHECK_REPORT_H */
