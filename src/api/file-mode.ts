/** Bits of Go's `os.FileMode` above the permissions (go.dev/pkg/io/fs#FileMode); they are not those of the kernel. */
const goBits = {
  directory: 2 ** 31,
  symbolicLink: 2 ** 27,
  device: 2 ** 26,
  namedPipe: 2 ** 25,
  socket: 2 ** 24,
  setUserId: 2 ** 23,
  setGroupId: 2 ** 22,
  characterDevice: 2 ** 21,
  sticky: 2 ** 20,
} as const;

/** Of the file types of stat(2). */
const typeBits: ReadonlyMap<number, number> = new Map([
  [0o040000, goBits.directory],
  [0o120000, goBits.symbolicLink],
  [0o060000, goBits.device],
  [0o020000, goBits.device + goBits.characterDevice],
  [0o010000, goBits.namedPipe],
  [0o140000, goBits.socket],
]);

/** The mode of stat(2) as Go writes it. */
export function goFileMode(mode: number): number {
  return (
    (typeBits.get(mode & 0o170000) ?? 0) +
    ((mode & 0o4000) === 0 ? 0 : goBits.setUserId) +
    ((mode & 0o2000) === 0 ? 0 : goBits.setGroupId) +
    ((mode & 0o1000) === 0 ? 0 : goBits.sticky) +
    (mode & 0o777)
  );
}

/** What a mode of Go's says of the kind of a file. Its highest bit makes it too large for bitwise operators. */
export function isGoDirectory(mode: number): boolean {
  return mode >= goBits.directory;
}

export function isGoLink(mode: number): boolean {
  return has(mode, goBits.symbolicLink);
}

export function isGoDevice(mode: number): boolean {
  return has(mode, goBits.device);
}

function has(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}
