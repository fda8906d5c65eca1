const mask = 'xxxxx';

/**
 * Text in which user names and passwords of addresses are blotted out, for whatever is shown, logged or kept: histories,
 * messages, titles of steps. The user of `ssh://git@host` is no secret.
 */
export function redactUrls(text: string): string {
  // The last `@` before the path is the one that counts (URL standard).
  return text.replace(/\b([a-z][a-z0-9+.-]*):\/\/([^\s/?#]*)@/gi, (whole: string, scheme: string, user: string) => {
    const hasPassword = user.includes(':');
    if (!hasPassword && scheme.toLowerCase() === 'ssh') return whole;
    return `${scheme}://${mask}${hasPassword ? `:${mask}` : ''}@`;
  });
}
