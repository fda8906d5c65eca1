/* What extended headers say about an entry. */
#ifndef TAR_PAX_H
#define TAR_PAX_H

#include "tar.h"

struct pax {
  char *path; /* NULL: not given */
  char *link;
  bool has_size, has_uid, has_gid, has_mtime;
  int64_t size, uid, gid;
  struct timespec mtime;
  struct tar_xattr *xattrs;
  size_t xattr_count;
  size_t xattr_bytes;
  /* GNU.sparse.* of formats 0.0, 0.1 and 1.0 */
  char *sparse_name;
  bool has_real_size;
  int64_t real_size;
  int64_t sparse_major;
  struct tar_segment *segments;
  size_t segment_count;
  bool half_segment; /* an offset was read, its size was not */
  bool sparse_map;   /* segments were given */
};

void pax_free(struct pax *pax);
/* A copy to which an entry's own records are added. */
void pax_copy(struct pax *to, const struct pax *from);
/* Records `length key=value\n`. 0, or -1 with the reason in `*reason`. */
int pax_read(struct pax *pax, const char *data, size_t size, const char **reason);
/* Adds a segment; false when it is out of order or there are too many. */
bool segments_add(struct tar_segment **segments, size_t *count, uint64_t offset, uint64_t size);

#endif
