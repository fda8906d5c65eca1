/** How mounts made later spread between a mount and the machine (mount_namespaces(7)). */
export const propagations: readonly string[] = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

/** Words that mount(2) takes as flags: those that the helper knows. */
const flags: ReadonlySet<string> = new Set([
  'ro',
  'nosuid',
  'nodev',
  'noexec',
  'sync',
  'dirsync',
  'mand',
  'relatime',
  'noatime',
  'strictatime',
  'nodiratime',
]);

/** Options that take a flag of before away. */
const opposites: Readonly<Record<string, string>> = {
  rw: 'ro',
  suid: 'nosuid',
  dev: 'nodev',
  exec: 'noexec',
  async: 'sync',
  nomand: 'mand',
  norelatime: 'relatime',
  nostrictatime: 'strictatime',
  atime: 'noatime',
  diratime: 'nodiratime',
};

export interface MountOptions {
  /** The last one counts. */
  readonly propagation?: string;
  readonly flags: readonly string[];
  /** What is for the file system itself, in its order. */
  readonly others: readonly string[];
}

/** Sorts the options of mount(8): `presets` are flags that are set unless an option says otherwise. */
export function sortMountOptions(options: readonly string[], presets: readonly string[] = []): MountOptions {
  const set = new Set(presets);
  const others: string[] = [];
  let propagation: string | undefined;
  for (const option of options) {
    if (flags.has(option)) set.add(option);
    else if (Object.hasOwn(opposites, option)) set.delete(opposites[option] as string);
    else if (propagations.includes(option)) propagation = option;
    else if (option !== 'defaults') others.push(option);
  }
  return {flags: [...set], others, ...(propagation === undefined ? {} : {propagation})};
}
