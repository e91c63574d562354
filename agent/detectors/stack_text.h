/*
 * Stack traces in text, as the runtimes of Java, Python, Go, Node, PHP, Ruby and .NET write them, as plain text, in JSON or in HTML. Bytes
 * may come in pieces; a frame that two pieces divide is missed, and the others are not. No memory of its own.
 */
#ifndef GAPSCOPE_DETECTORS_STACK_TEXT_H
#define GAPSCOPE_DETECTORS_STACK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stack_language { STACK_JAVA, STACK_PYTHON, STACK_GO, STACK_NODE, STACK_PHP, STACK_RUBY, STACK_DOTNET, STACK_LANGUAGES };

struct stack_text {
	uint8_t frames[STACK_LANGUAGES];
	bool titles[STACK_LANGUAGES]; /* the line above the frames: "Traceback (most recent call last):" */
	bool exception;               /* "SomethingError: …": several languages begin so */
	bool framed;                  /* any frame was there */
};

/* More of the text. */
void stack_text_add(struct stack_text *s, const uint8_t *bytes, size_t len);
/* The language of the trace, as texts name it ("Java"), or NULL: not enough of one was there. */
const char *stack_text_language(const struct stack_text *s);

#endif
