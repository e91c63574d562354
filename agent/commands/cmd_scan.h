/*
 * `gapscope scan`.
 */
#ifndef GAPSCOPE_COMMANDS_CMD_SCAN_H
#define GAPSCOPE_COMMANDS_CMD_SCAN_H

/* argv[0] is "scan". Exit status: 0 nothing found, 1 found, 2 error. */
int cmd_scan(int argc, char **argv);

#endif
