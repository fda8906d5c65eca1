/** What the unit is made of. */
export interface UnitRequest {
  /** Absolute. */
  readonly node: string;
  readonly program: string;
  /** Of the environment: where the engine is. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of an ordinary user. */
  readonly user: boolean;
}

/**
 * The text of the unit: at boot, once, it starts what the restart policies say. It stays active and never ends what it
 * started: containers are their monitors', which systemd asks to end when the machine goes down.
 */
export function unitText({node, program, environment, user}: UnitRequest): string {
  const variables = Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`);
  const order = user ? [] : ['Wants=network-online.target', 'After=network-online.target local-fs.target'];
  return `${[
    '# Written by "tscompose service install"; taken away by "tscompose service uninstall".',
    '[Unit]',
    'Description=Containers of tscompose whose restart policy holds across boots',
    ...order,
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    'KillMode=process',
    'TimeoutStartSec=infinity',
    ...variables,
    `ExecStart=${[node, program, 'service', 'boot'].map(quoted).join(' ')}`,
    '',
    '[Install]',
    `WantedBy=${user ? 'default.target' : 'multi-user.target'}`,
  ].join('\n')}\n`;
}

/** One word of systemd.syntax(7): specifiers, variables, quotes and backslashes stand for themselves. */
function quoted(word: string): string {
  const plain = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(plain) ? plain : `"${plain}"`;
}
