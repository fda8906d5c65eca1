/* Extended attributes of files that are not opened: devices, links. */
#ifndef XATTR_H
#define XATTR_H

#include <stdbool.h>
#include <stddef.h>

/* overlayfs's own marks (trusted.overlay.*, user.overlay.*): never taken over from an image, they would steer the mount. */
bool xattr_is_overlay(const char *name);
/* Only what concerns the file itself travels in archives: other attributes belong to the machine (labels, measurements) or to overlayfs. */
bool xattr_travels(const char *name);
/* One attribute of the entry; links are not followed. `name` may be "." for the directory itself. 0 or -1 with errno. */
int xattr_set_at(int parent, const char *entry, const char *name, const void *value, size_t size);
struct tar_xattr;
/* Reads those of an entry that travel, into an array to be freed by xattr_free. What cannot be read is left out. */
struct tar_xattr *xattr_read_at(int parent, const char *entry, size_t *count);
void xattr_free(struct tar_xattr *list, size_t count);
/*
 * Copies the attributes of one entry to another, overlay marks left out. What the target's file system or our privileges
 * do not allow is left out too, as with a plain copy. 0, or -1 with errno for a failure of another kind.
 */
int xattr_copy_at(int from_parent, const char *from, int to_parent, const char *to);

#endif
