import {execFile} from 'node:child_process';
import {existsSync} from 'node:fs';
import {chmod, mkdir, open, readFile, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';

/** A unit of systemd: where its file is, and how systemd is asked. */
export interface SystemdUnit {
  readonly name: string;
  /** Of unit files. */
  readonly directory: string;
  readonly user: boolean;
  /** There while systemd is the machine's init (sd_booted(3)). */
  readonly bootedMark: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface UnitStatus {
  readonly path: string;
  /** Absent: it is not installed. */
  readonly text?: string;
  /** As `systemctl is-enabled` and `is-active` say it; absent where systemd does not run. */
  readonly enabled?: string;
  readonly active?: string;
}

/** Writes the unit and enables it; where that fails, it is as before. Throws `unavailable` without systemd. */
export async function installUnit(unit: SystemdUnit, text: string): Promise<void> {
  requireSystemd(unit);
  const path = pathOf(unit);
  const before = await textAt(path);
  await writeWhole(unit, text);
  try {
    await systemctl(unit, 'daemon-reload');
    await systemctl(unit, 'enable', unit.name);
  } catch (error) {
    if (before === undefined) await rm(path, {force: true});
    else await writeWhole(unit, before);
    await systemctl(unit, 'daemon-reload').catch(() => undefined);
    throw error;
  }
}

/** False where there was none. Running containers go on. */
export async function uninstallUnit(unit: SystemdUnit): Promise<boolean> {
  const path = pathOf(unit);
  if ((await textAt(path)) === undefined) return false;
  const hasSystemd = existsSync(unit.bootedMark);
  if (hasSystemd) await systemctl(unit, 'disable', unit.name);
  await rm(path, {force: true});
  if (hasSystemd) await systemctl(unit, 'daemon-reload');
  return true;
}

export async function unitStatus(unit: SystemdUnit): Promise<UnitStatus> {
  const path = pathOf(unit);
  const text = await textAt(path);
  if (text === undefined) return {path};
  if (!existsSync(unit.bootedMark)) return {path, text};
  const [enabled, active] = await Promise.all(['is-enabled', 'is-active'].map((question) => ask(unit, question)));
  return {path, text, enabled: enabled ?? 'unknown', active: active ?? 'unknown'};
}

function pathOf({directory, name}: SystemdUnit): string {
  return join(directory, name);
}

function requireSystemd({bootedMark}: SystemdUnit): void {
  if (existsSync(bootedMark)) return;
  throw new TscomposeError('unavailable', 'cannot install the service: systemd does not run on this machine', {
    hint: 'have your init run "tscompose service boot" once after a boot; "tscompose service install --print" shows the unit',
  });
}

async function textAt(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw toTscomposeError(error, `cannot read ${path}`);
  });
}

/** A unit that is half written would be read at the next boot: first beside its place, and on the disk. */
async function writeWhole(unit: SystemdUnit, text: string): Promise<void> {
  const path = pathOf(unit);
  const beside = `${path}.tmp-${process.pid}`;
  try {
    await mkdir(unit.directory, {recursive: true});
    await using file = await open(beside, 'w', 0o644);
    await file.writeFile(text);
    await file.sync();
    await chmod(beside, 0o644);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, {force: true});
    throw toTscomposeError(error, `cannot write ${path}`);
  }
}

function wordsFor({user}: SystemdUnit, words: readonly string[]): readonly string[] {
  return [...(user ? ['--user'] : []), ...words];
}

async function systemctl(unit: SystemdUnit, ...words: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)('systemctl', wordsFor(unit, words), {env: unit.env});
  } catch (error) {
    const {stderr = '', message} = error as Error & {readonly stderr?: string};
    const reason = (stderr.trim() || message).split('\n')[0];
    throw new TscomposeError('unavailable', `systemctl ${wordsFor(unit, words).join(' ')}: ${reason}`, {cause: error});
  }
}

/** One word; systemctl answers with an exit code too, which says no more. */
async function ask(unit: SystemdUnit, question: string): Promise<string | undefined> {
  const answer = await promisify(execFile)('systemctl', wordsFor(unit, [question, unit.name]), {env: unit.env}).catch(
    (error: Error & {readonly stdout?: string}) => error,
  );
  return answer.stdout?.trim() || undefined;
}
