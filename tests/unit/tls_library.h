/*
 * A TLS library of three functions that is a part of the test that includes it: SSL_read gives out "hello", and a session has the client's random
 * bytes at LIBRARY_RANDOM_AT, as the code of the third says. By hand, so that no compiler changes their shape. For tests of probes; included once.
 */
#ifndef GAPSCOPE_TESTS_TLS_LIBRARY_H
#define GAPSCOPE_TESTS_TLS_LIBRARY_H

#define LIBRARY_RANDOM_AT 0x160
#define LIBRARY_GIVES "hello"

int SSL_read(void *session, void *buffer, int size);
void SSL_free(void *session);

#define LIBRARY_FUNCTION(name, code) \
	".globl " name "\n.type " name ",@function\n" name ":\n.cfi_startproc\n" code ".cfi_endproc\n.size " name ",.-" name "\n"

__asm__(".text\n" LIBRARY_FUNCTION("SSL_read", "push %rbp\n.cfi_def_cfa_offset 16\n"
					       "movl $0x6c6c6568,(%rsi)\nmovb $0x6f,4(%rsi)\nmov $5,%eax\n"
					       "pop %rbp\n.cfi_def_cfa_offset 8\n"
					       ".globl library_read_returns\nlibrary_read_returns:\nret\n")
		LIBRARY_FUNCTION("SSL_free", "ret\n")
			LIBRARY_FUNCTION("SSL_get_client_random", "lea 0x160(%rdi),%rcx\nmov 0x160(%rdi),%rax\nret\n"));

#endif
