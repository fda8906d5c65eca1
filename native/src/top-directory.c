/* A hint to the file system: what is made in this directory has nothing to do with each other. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "serve.h"

/*
 * The flag T of chattr(1). ext4 then gives each directory that is made in it a part of the disk of its own, with room, instead
 * of one beside the others (its Orlov allocator). File systems that know no such flag place directories by other rules.
 */
void top_directory_request(uint64_t request, const struct record *record) {
  struct failure failure;
  struct json json;
  int flags = 0;
  if (record_texts(record, &failure) != 0) {
    serve_reply_failure(request, &failure);
    return;
  }
  int fd = open(record->argv[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    fail_errno(&failure, errno, "topDirectory %s", record->argv[1]);
    serve_reply_failure(request, &failure);
    return;
  }
  bool marked = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
  flags |= FS_TOPDIR_FL;
  marked = marked && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
  close_quietly(fd);
  serve_reply_begin(&json, request);
  json_member_bool(&json, "marked", marked);
  serve_reply_end(&json);
}
