/**
 * A case of the loading corpus: comments that say what it is about and how Compose is called, then files, each below a line
 * `=== PATH`.
 * @param {string} text
 * @returns {{arguments: string[], config: string[], environment: Record<string, string>, directory: string, input: string | undefined, files: Record<string, string>}}
 */
export function readCase(text) {
  const [head = '', ...parts] = text.split(/^=== /m);
  const value = (/** @type {string} */ name) => new RegExp(`^# ${name}: (.*)$`, 'm').exec(head)?.[1];
  const words = (/** @type {string} */ name) => value(name)?.split(' ') ?? [];
  return {
    arguments: words('arguments'),
    config: words('config'),
    environment: Object.fromEntries(
      words('environment').map((pair) => /** @type {[string, string]} */ (pair.split(/=(.*)/s).slice(0, 2))),
    ),
    directory: value('directory') ?? '.',
    input: value('input'),
    files: Object.fromEntries(
      parts.map((part) => {
        const end = part.indexOf('\n');
        return [part.slice(0, end), part.slice(end + 1).replaceAll('\\r\n', '\r\n')];
      }),
    ),
  };
}
