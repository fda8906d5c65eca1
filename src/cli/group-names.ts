/** Commands that have commands of their own. A list beside the tables of commands, which who starts the program does not read. */
export const groupNames: ReadonlySet<string> = new Set([
  'builder',
  'engine',
  'image',
  'manifest',
  'network',
  'registry',
  'system',
  'volume',
]);
