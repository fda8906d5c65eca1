/** Numbers of system calls by name. */
export type SyscallTable = ReadonlyMap<string, number>;

/** Each line: a number, and the names of the calls that have this number and the following ones. */
export function parseSyscalls(text: string): SyscallTable {
  const table = new Map<string, number>();
  for (const line of text.trim().split('\n')) {
    const [first, ...names] = line.split(' ');
    names.forEach((name, index) => {
      table.set(name, Number(first) + index);
    });
  }
  return table;
}
