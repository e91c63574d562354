/*
 * Files that are part of the program: pages and scripts, as they stand in the tree. A view of static memory, any thread.
 */
#ifndef GAPSCOPE_REPORT_ASSET_H
#define GAPSCOPE_REPORT_ASSET_H

#include <stddef.h>
#include <stdint.h>

/* At file level: the file becomes asset_NAME … asset_NAME_end, with a NUL behind. GAPSCOPE_WEB is the layer's folder of such files. */
#define ASSET(name, file) \
	__asm__(".section .rodata\n" \
		".global asset_" #name "\n.global asset_" #name "_end\n" \
		"asset_" #name ":\n.incbin \"" GAPSCOPE_WEB "/" file "\"\n" \
		"asset_" #name "_end:\n.byte 0\n.previous\n"); \
	extern const char asset_##name[], asset_##name##_end[]

#define ASSET_SIZE(name) ((size_t)((uintptr_t)asset_##name##_end - (uintptr_t)asset_##name))

/* render_html.c: what draws one service, for the HTML report and for the dashboard. */
extern const char asset_view[], asset_view_end[], asset_style[], asset_style_end[];

#endif
