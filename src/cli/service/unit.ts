import {TscomposeError} from '../../base/errors.ts';

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
    `ExecStart=${command([node, program, 'service', 'boot'])}`,
    '',
    '[Install]',
    `WantedBy=${user ? 'default.target' : 'multi-user.target'}`,
  ].join('\n')}\n`;
}

/**
 * One word of systemd.syntax(7): specifiers, quotes and backslashes stand for themselves. Only commands know variables
 * (systemd.service(5)). Throws `invalid` for what would end the line, or would be passed over by systemd.
 */
function quoted(word: string): string {
  if (/[\u0000-\u001f\u007f]/.test(word))
    throw new TscomposeError('invalid', `cannot name ${JSON.stringify(word)} in a unit: it has control characters`);
  const plain = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(plain) ? plain : `"${plain}"`;
}

/** The first word names the program itself: no variable is looked for in it. */
function command([program = '', ...words]: readonly string[]): string {
  return [quoted(program), ...words.map((word) => quoted(word).replaceAll('$', '$$$$'))].join(' ');
}
