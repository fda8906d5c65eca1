const mask = 'xxxxx';

/**
 * Text in which user names and passwords of addresses are blotted out, for whatever is shown, logged or kept: histories,
 * messages, titles of steps. The user of `ssh://git@host` is no secret.
 */
export function redactUrls(text: string): string {
  return text.replace(
    /\b([a-z][a-z0-9+.-]*):\/\/([^\s/?#@:]*)(:[^\s/?#@]*)?@(?=[^\s/])/gi,
    (whole: string, scheme: string, _user: string, password: string | undefined) => {
      if (password === undefined && scheme.toLowerCase() === 'ssh') return whole;
      return `${scheme}://${mask}${password === undefined ? '' : `:${mask}`}@`;
    },
  );
}
