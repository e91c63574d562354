/*
 * Completion for bash, zsh and fish (completion.h). Each script is a few fixed lines around what the tables say.
 *
 * What an operand or a flag's value is, its word in the usage line says: FILE is a file, CMD a program with words of its own.
 */
#include "commands/completion.h"

#include <stdbool.h>
#include <string.h>

#include "commands/commands.h"

enum takes { TAKES_TEXT, TAKES_WORDS, TAKES_FILES, TAKES_PROGRAM };

static bool names_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strstr(text, *words))
			return true;
	return false;
}

static enum takes value_of(const struct flag *f)
{
	static const char *const files[] = {"FILE", "CONFIG", "PATH", NULL};

	return f->choices ? TAKES_WORDS : names_one_of(f->arg, files) ? TAKES_FILES : TAKES_TEXT;
}

static enum takes operand_of(const struct command *c)
{
	static const char *const programs[] = {"CMD", NULL}, *const files[] = {"FILE…",     "FILE|",   "REPORT",
									       "RECORDING", "PROGRAM", NULL};

	return c->operand                         ? TAKES_WORDS
	       : names_one_of(c->usage, programs) ? TAKES_PROGRAM
	       : names_one_of(c->usage, files)    ? TAKES_FILES
						  : TAKES_TEXT;
}

static void put_operands(FILE *out, const struct command *c, const char *between)
{
	const char *word;

	for (size_t i = 0; c->operand && (word = c->operand(i)) != NULL; i++)
		fprintf(out, "%s%s", i ? between : "", word);
}

static void put_choices(FILE *out, const struct flag *f, const char *between)
{
	for (const char *const *word = f->choices; word && *word; word++)
		fprintf(out, "%s%s", word == f->choices ? "" : between, *word);
}

static void put_commands(FILE *out)
{
	for (const struct command *const *c = command_table; *c; c++)
		fprintf(out, "%s ", (*c)->name);
}

/* -- bash -- */

static void bash_value(FILE *out, const struct command *c, const struct flag *f)
{
	if (f->kind == FLAG_SWITCH)
		return;
	fprintf(out, "\t%s,--%s) ", c->name, f->name);
	switch (value_of(f)) {
	case TAKES_WORDS:
		fputs("words='", out);
		put_choices(out, f, " ");
		fputs("' ;;\n", out);
		break;
	case TAKES_FILES:
		fputs("files=1 ;;\n", out);
		break;
	default:
		fputs("return ;;\n", out);
	}
}

static void bash_command(FILE *out, const struct command *c)
{
	fprintf(out, "\t%s) words='", c->name);
	for (const struct flag *f = c->flags; f && f->name; f++)
		fprintf(out, "--%s ", f->name);
	fputs("--help ", out);
	put_operands(out, c, " ");
	fprintf(out, "'%s ;;\n", operand_of(c) == TAKES_FILES || operand_of(c) == TAKES_PROGRAM ? " files=1" : "");
}

/* Behind `--` stand another program and its words: those are completed as if they stood alone. */
static void bash(FILE *out)
{
	fputs("# bash completion for gapscope, made by `gapscope completion bash`\n"
	      "_gapscope() {\n"
	      "local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words= files= i\n"
	      "COMPREPLY=()\n"
	      "for ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t[[ ${COMP_WORDS[i]} == -- ]] || continue\n"
	      "\tif declare -F _command_offset >/dev/null; then _command_offset $((i + 1))\n"
	      "\telif ((i + 1 == COMP_CWORD)); then COMPREPLY=($(compgen -c -- \"$cur\"))\n"
	      "\telse COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
	      "\treturn\n"
	      "done\n"
	      "if ((COMP_CWORD == 1)); then command=; fi\n"
	      "case $command,$prev in\n",
	      out);
	for (const struct command *const *c = command_table; *c; c++)
		for (const struct flag *f = (*c)->flags; f && f->name; f++)
			bash_value(out, *c, f);
	fputs("\t*) case $command in\n\t'') words='", out);
	put_commands(out);
	fputs("--help --version' ;;\n", out);
	for (const struct command *const *c = command_table; *c; c++)
		bash_command(out, *c);
	fputs("\tesac ;;\n"
	      "esac\n"
	      "COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "if [[ $files ]]; then\n"
	      "\tcompopt -o filenames 2>/dev/null\n"
	      "\tCOMPREPLY+=($(compgen -f -- \"$cur\"))\n"
	      "fi\n"
	      "}\n"
	      "complete -F _gapscope gapscope\n",
	      out);
}

/* -- zsh -- */

/* A text inside of single quotes, and inside of a specification of _arguments, where `special` characters need a backslash. */
static void put_quoted(FILE *out, const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\'", out);
		else if (strchr(special, *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void zsh_flag(FILE *out, const struct flag *f)
{
	fprintf(out, " \\\n\t\t'%s--%s[", f->kind == FLAG_LIST ? "*" : "", f->name);
	put_quoted(out, f->doc, "[]:\\");
	fputc(']', out);
	if (f->kind != FLAG_SWITCH) {
		fputc(':', out);
		put_quoted(out, f->arg, "[]:\\");
		fputc(':', out);
		if (value_of(f) == TAKES_WORDS) {
			fputc('(', out);
			put_choices(out, f, " ");
			fputc(')', out);
		} else {
			fputs(value_of(f) == TAKES_FILES ? "_files" : " ", out);
		}
	}
	fputc('\'', out);
}

static void zsh_command(FILE *out, const struct command *c)
{
	fprintf(out, "\t%s) _arguments -S '--help[explain the command]'", c->name);
	for (const struct flag *f = c->flags; f && f->name; f++)
		zsh_flag(out, f);
	switch (operand_of(c)) {
	case TAKES_WORDS:
		fputs(" '1:word:(", out);
		put_operands(out, c, " ");
		fputs(")'", out);
		break;
	case TAKES_FILES:
		fputs(" '*:file:_files'", out);
		break;
	case TAKES_PROGRAM:
		fputs(" '*::program:_gapscope_program'", out);
		break;
	case TAKES_TEXT:
		break;
	}
	fputs(" ;;\n", out);
}

static void zsh(FILE *out)
{
	fputs("#compdef gapscope\n"
	      "# zsh completion for gapscope, made by `gapscope completion zsh`\n"
	      "_gapscope_program() {\n"
	      "if [[ $words[1] == -- ]]; then shift words; ((CURRENT--)); fi\n"
	      "_normal\n"
	      "}\n"
	      "_gapscope() {\n"
	      "if ((CURRENT == 2)); then\n"
	      "\tlocal -a commands=(\n",
	      out);
	for (const struct command *const *c = command_table; *c; c++) {
		fprintf(out, "\t\t'%s:", (*c)->name);
		put_quoted(out, (*c)->doc, ":\\");
		fputs("'\n", out);
	}
	fputs("\t)\n"
	      "\t_describe -t commands 'command of gapscope' commands\n"
	      "\treturn\n"
	      "fi\n"
	      "shift words\n"
	      "((CURRENT--))\n"
	      "case $words[1] in\n",
	      out);
	for (const struct command *const *c = command_table; *c; c++)
		zsh_command(out, *c);
	fputs("esac\n"
	      "}\n"
	      "if [[ $funcstack[1] == _gapscope ]]; then _gapscope \"$@\"; else compdef _gapscope gapscope; fi\n",
	      out);
}

/* -- fish -- */

static void fish_flag(FILE *out, const struct command *c, const struct flag *f)
{
	fprintf(out, "complete -c gapscope -n '__gapscope_is %s' -l %s", c->name, f->name);
	if (f->kind != FLAG_SWITCH && value_of(f) == TAKES_WORDS) {
		fputs(" -x -a '", out);
		put_choices(out, f, " ");
		fputc('\'', out);
	} else if (f->kind != FLAG_SWITCH) {
		fputs(value_of(f) == TAKES_FILES ? " -r -F" : " -x", out);
	}
	fputs(" -d '", out);
	put_quoted(out, f->doc, "\\");
	fputs("'\n", out);
}

static void fish_command(FILE *out, const struct command *c)
{
	fprintf(out, "complete -c gapscope -f -n '__gapscope_is' -a %s -d '", c->name);
	put_quoted(out, c->doc, "\\");
	fputs("'\n", out);
	for (const struct flag *f = c->flags; f && f->name; f++)
		fish_flag(out, c, f);
	switch (operand_of(c)) {
	case TAKES_WORDS:
		fprintf(out, "complete -c gapscope -n '__gapscope_is %s' -a '", c->name);
		put_operands(out, c, " ");
		fputs("'\n", out);
		break;
	case TAKES_FILES:
		fprintf(out, "complete -c gapscope -n '__gapscope_is %s' -F\n", c->name);
		break;
	case TAKES_PROGRAM:
		fprintf(out, "complete -c gapscope -n '__gapscope_is %s' -x -a '(__gapscope_program)'\n", c->name);
		break;
	case TAKES_TEXT:
		break;
	}
}

static void fish(FILE *out)
{
	fputs("# fish completion for gapscope, made by `gapscope completion fish`\n"
	      "function __gapscope_is\n"
	      "\tset -l words (commandline -opc)\n"
	      "\ttest \"$words[2]\" = \"$argv[1]\"\n"
	      "end\n"
	      "function __gapscope_program\n"
	      "\tset -l words (commandline -opc)\n"
	      "\tset -l at (contains -i -- -- $words)\n"
	      "\tand complete -C (string join -- ' ' (string escape -- $words[(math $at + 1)..-1]) (commandline -ct))\n"
	      "end\n"
	      "complete -c gapscope -f\n"
	      "complete -c gapscope -n '__gapscope_is' -l version -d 'print the version'\n"
	      "complete -c gapscope -l help -d 'explain the command'\n",
	      out);
	for (const struct command *const *c = command_table; *c; c++)
		fish_command(out, *c);
}

const struct completion_shell completion_shells[] = {
	{"bash", "source it, or put it into /usr/share/bash-completion/completions/gapscope", bash},
	{"zsh", "put it as _gapscope into a folder of $fpath", zsh},
	{"fish", "put it into ~/.config/fish/completions/gapscope.fish", fish},
	{0},
};

const struct completion_shell *completion_find(const char *name)
{
	for (const struct completion_shell *s = completion_shells; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}
