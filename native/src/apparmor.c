/* The profile of AppArmor that confines a container's programs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "setup.h"

/* Only a process itself says what it will be executed under (/proc/PID/attr), so this is the machine's procfs still. */
static const char attribute[] = "/proc/self/attr/apparmor/exec";

int setup_apparmor(const struct setup *setup) {
  const char *profile = setup->apparmor;
  if (profile == NULL) return 0;
  char *command = xasprintf("exec %s", profile);
  int result = write_file_at(AT_FDCWD, attribute, command), error = errno;
  free(command);
  if (result == 0) return 0;
  bool is_missing = access(attribute, F_OK) != 0;
  if (is_missing || error == EINVAL)
    return fail_kind(setup->failure, KIND_UNSUPPORTED, "this kernel has no AppArmor", "AppArmor profile \"%s\"", profile);
  if (error == ENOENT)
    return fail_kind(setup->failure, KIND_INVALID, "it is not loaded", "AppArmor profile \"%s\"", profile);
  return fail_errno(setup->failure, error, "AppArmor profile \"%s\"", profile);
}
