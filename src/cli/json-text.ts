/**
 * A value as JSON. Its control characters are escaped, also those that JSON lets be (C1: for some terminals they begin commands):
 * what images, containers and registries say of themselves stands in it.
 */
export function jsonText(value: unknown, indent?: number | string): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\x7f-\x9f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
