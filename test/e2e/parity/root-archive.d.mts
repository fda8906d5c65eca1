/** Writes the only layer of a docker-archive to a file: a root file system to import images with other settings from. */
export function writeRootArchive(archive: string, path: string): void;
