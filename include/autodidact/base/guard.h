/* Files that a library may crash on: looked at in a child process first. */
#ifndef AUTODIDACT_BASE_GUARD_H
#define AUTODIDACT_BASE_GUARD_H

/* Runs look(context) in a child process, with standard error closed. Its limits are 60 seconds of CPU, 120 of the
 * clock, and 1 GiB and eight times the file's size of memory beside what this process has. Nothing that it does to
 * memory, or a library does by overrunning a buffer, reaches this process. Its status and message become the caller's.
 * AD_OK: the same call in this process will do. AD_EINPUT where the child was killed: reading `path` crashes, or does
 * not end. AD_EIO where no process could be made. Where this process has threads or uses MPI, look must call nothing of
 * theirs.
 */
int ad_guard(const char *path, int (*look)(void *context), void *context);

#endif
