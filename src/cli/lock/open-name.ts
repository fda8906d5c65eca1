/** Names that have a digest, and ids, stand for one image already; any other name is open. */
export function isOpen(name: string): boolean {
  return !name.includes('@') && !/^(?:sha256:)?[0-9a-f]{64}$/.test(name);
}

/** What stands before the name of an image in `additional_contexts`. */
export const imagePrefix = 'docker-image://';
