export function archiveEntries(
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<Readonly<Record<string, string>>>;
