// SPDX-License-Identifier: GPL-2.0-only
/*
 * prototype FUNCTION: prints a function's prototype from kvm.ko's BTF, as "RESULT (ARGUMENTS)":
 * the size of each in bytes, or p for a pointer.
 */
#include <bpf/btf.h>

#include "tap.h"

static const char *size_of(const struct btf *btf, __u32 id)
{
	static char text[4][16];
	static int next;
	char *out = text[next++ % 4];
	int type = btf__resolve_type(btf, id);

	must(type >= 0);
	if (btf_is_ptr(btf__type_by_id(btf, type)))
		return "p";
	snprintf(out, sizeof(text[0]), "%lld", (long long)btf__resolve_size(btf, type));
	return out;
}

int main(int argc, char **argv)
{
	struct btf *btf = btf__load_module_btf("kvm", btf__load_vmlinux_btf());
	const struct btf_type *proto;
	const struct btf_param *params;
	int id, i;

	must(argc == 2 && btf);
	id = btf__find_by_name_kind(btf, argv[1], BTF_KIND_FUNC);
	must(id > 0);
	proto = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	params = btf_params(proto);
	printf("%s (", size_of(btf, proto->type));
	for (i = 0; i < btf_vlen(proto); i++)
		printf("%s%s", i ? ", " : "", size_of(btf, params[i].type));
	puts(")");
	return 0;
}
