/** A part of an address without its percent signs; one that is encoded wrongly is taken as it stands. */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
