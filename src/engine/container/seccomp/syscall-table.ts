/** Numbers of system calls by name. */
export type SyscallTable = ReadonlyMap<string, number>;

/**
 * Each line: a number, and the names of the calls that have this number and the following ones. Read at the first use: no
 * machine needs all tables, and most commands none.
 */
export function parseSyscalls(text: string): () => SyscallTable {
  let table: SyscallTable | undefined;
  return () => {
    table ??= parse(text);
    return table;
  };
}

function parse(text: string): SyscallTable {
  const table = new Map<string, number>();
  for (const line of text.trim().split('\n')) {
    const [first, ...names] = line.split(' ');
    names.forEach((name, index) => {
      table.set(name, Number(first) + index);
    });
  }
  return table;
}
