/** Whether a variable says yes: `1`, `true`, `yes` or `on`. */
export function isSet(env: Readonly<Record<string, string | undefined>>, name: string): boolean {
  return /^(1|true|yes|on)$/i.test(env[name] ?? '');
}
