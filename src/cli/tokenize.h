/* The command `autodidact tokenize`. */
#ifndef AUTODIDACT_SRC_CLI_TOKENIZE_H
#define AUTODIDACT_SRC_CLI_TOKENIZE_H

/* Runs the command; argv[0] is "tokenize". Prints the ids of each line of a file, or of standard input, to standard
 * output. AD_OK, or a status with its message recorded: AD_ECONFIG for the command line, AD_EINPUT for model and text
 * (with "file:line:"), AD_EIO, AD_ENOMEM. */
int ad_command_tokenize(int argc, char **argv);

#endif
