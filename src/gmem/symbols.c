// SPDX-License-Identifier: GPL-2.0-only
/* Unexported functions that guest_memfd needs. */
#include <linux/kernel.h>

#include "../features.h"
#include "symbols.h"

GMEM_SYMBOLS(DEFINE_SYMBOL)

static const struct symbol gmem_symbols[] = {
	GMEM_SYMBOLS(SYMBOL_ENTRY)
};

/**
 * gmem_symbols_resolve() - make all functions of GMEM_SYMBOLS() callable
 *
 * Context: module init.
 * Return: as symbols_resolve().
 */
int gmem_symbols_resolve(void)
{
	return symbols_resolve(gmem_symbols, ARRAY_SIZE(gmem_symbols), LOAD_REFUSED);
}
