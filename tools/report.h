/* SPDX-License-Identifier: GPL-2.0-only */
/* The results of the test, as a table for people or as JSON for programs. */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include <stdbool.h>

#include "nodes.h"

/* The exit status. Test harnesses take 77 as "skipped". */
enum verdict { PASS = 0, FAIL = 1, NOT_RUN = 2, NOT_SHOWN = 77 };

enum works { NO, YES, NOT_TRIED };

#define FEATURES 5
#define ROWS_MAX (NODES_MAX + 1)

struct feature {
	const char *name;
	char reported[128];	/* by the module; empty if it is not loaded */
	enum works works;
};

struct row {
	bool private;		/* memory, of a confidential VM */
	enum placing placing;
	int node;		/* that was asked for, with PLACE_BIND */
	unsigned long pages;
	unsigned long found[NODES_MAX];	/* same index as nodes->id[] */
	unsigned long wrong;
};

struct report {
	char kernel[128];
	char module[64];	/* its version; empty if it is not loaded */
	struct feature feature[FEATURES];
	struct nodes nodes;
	struct nodes movable;	/* not tested */
	int rows;
	struct row *row[ROWS_MAX];
	enum verdict verdict;
	char reason[256];
};

/* Set the verdict and its reason. The first call counts, except that FAIL replaces NOT_SHOWN. */
void report_verdict(struct report *report, enum verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void report_table(const struct report *report);
void report_json(const struct report *report);

#endif /* CHECK_REPORT_H */
