/* `autodidact inspect FILE`. */
#ifndef AUTODIDACT_CLI_INSPECT_H
#define AUTODIDACT_CLI_INSPECT_H

/* Prints what a safetensors file or a Hugging Face model folder holds to standard output. argv[0] is "inspect". Returns a
 * status; the message is recorded, not printed. AD_ECONFIG (command line), AD_EINPUT, AD_EIO, AD_ENOMEM. */
int ad_command_inspect(int argc, char **argv);

#endif
