/** Whole or fractional seconds from `10`, `0.5`, `90s`, `1m30s`, `2h`; -1 means for ever. Undefined where it is none of them. */
export function parseSeconds(text: string): number | undefined {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text) >= 0 ? Number(text) : text === '-1' ? -1 : undefined;
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text);
  if (match === null || text === '') return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
