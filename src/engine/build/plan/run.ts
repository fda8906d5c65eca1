import {posix} from 'node:path';
import type {BuildSecret} from '../../../api/types/build.ts';
import {parseBytes} from '../../../base/bytes.ts';
import {readHeredocWord} from '../../../dockerfile/heredoc-words.ts';
import type {Instruction} from '../../../dockerfile/instruction.ts';
import {placeIn} from '../../../dockerfile/logical-line.ts';
import type {Mount} from '../../../dockerfile/mounts.ts';
import {proxyArguments} from '../../../dockerfile/scope.ts';
import {formatPlatform, type Platform, runsHere} from '../../image/platform.ts';
import type {Origin, StepMount} from '../steps.ts';
import {addLine, expandedText, type StageDraft, shownText} from './draft.ts';
import {commandWords, type Planning} from './settings.ts';

/** Finds what `--from` names: a stage, an image, another context. */
export type FindOrigin = (name: string, instruction: Instruction) => Promise<Origin>;

export interface RunPlanning extends Planning {
  readonly findOrigin: FindOrigin;
  /** What steps may ask for. */
  readonly allow: readonly string[];
  /** What they may mount. */
  readonly secrets: readonly BuildSecret[];
  /** Of the build: for steps that ask for none. */
  readonly network: 'default' | 'none' | 'host';
  readonly machine: Platform;
}

const scriptDirectory = '/dev/pipes';

export async function planRun(
  draft: StageDraft,
  instruction: Instruction<'RUN'>,
  planning: RunPlanning,
): Promise<void> {
  const {words, scripts} = commandOf(draft, instruction);
  const mounts = await planMounts(draft, instruction, planning);
  const {variables} = draft;
  const passing = proxyArguments.flatMap((name) => {
    const value = planning.given[name];
    return value === undefined || variables.has(name) ? [] : [`${name}=${value}`];
  });
  const network = instruction.network === 'default' ? planning.network : instruction.network;
  checkAllowed(instruction, {network, insecure: instruction.security === 'insecure'}, planning);
  const shown = shownText(draft, instruction, planning);
  draft.result = planning.steps.add(draft, instruction, `RUN ${summary(instruction, shown)}`, {
    kind: 'run',
    foreign: runsHere(draft.base, planning.machine) ? undefined : formatPlatform(draft.base),
    parent: draft.result,
    words,
    scripts,
    env: [...variables].map((pair) => pair.join('=')),
    passing,
    cwd: draft.config.WorkingDir || '/',
    user: draft.config.User ?? '',
    hostname: planning.given['BUILDKIT_SANDBOX_HOSTNAME'] || undefined,
    network,
    insecure: instruction.security === 'insecure',
    mounts,
  });
  addLine(draft, `RUN ${[...argumentsShown(draft), ...words].join(' ')} # buildkit`, draft.result);
}

/** A here-document alone is the command itself; one that names its program (`#!`) becomes a file. */
function commandOf(
  draft: StageDraft,
  {command, heredocs}: Instruction<'RUN'>,
): {
  readonly words: readonly string[];
  readonly scripts: readonly {readonly target: string; readonly content: string}[];
} {
  const [first] = heredocs;
  if (command.form === 'list' || first === undefined) return {words: commandWords(draft, command), scripts: []};
  const alone = readHeredocWord(command.text, '\\') !== undefined;
  const shell = (text: string) => commandWords(draft, {...command, text});
  if (!alone) {
    const whole = heredocs.map(({raw, name}) => `\n${raw}${name}`).join('');
    return {words: shell(command.text + whole), scripts: []};
  }
  if (!first.content.startsWith('#!')) return {words: shell(first.content), scripts: []};
  const target = posix.join(scriptDirectory, first.name);
  return {words: shell(target), scripts: [{target, content: first.content}]};
}

/** With the first line of its script. */
function summary({heredocs}: Instruction<'RUN'>, text: string): string {
  const [first] = heredocs;
  if (first === undefined) return text;
  const [line = '', ...more] = first.content.trim().split(/\r?\n/);
  return `${text} (${line}${more.length > 0 ? '...' : ''})`;
}

/** `|2 A=1 B=`: arguments that were declared, which a run could depend on. */
function argumentsShown(draft: StageDraft): readonly string[] {
  const shown = [...draft.arguments].map((name) => `${name}=${draft.variables.get(name) ?? ''}`);
  return shown.length === 0 ? [] : [`|${shown.length}`, ...shown];
}

function checkAllowed(
  instruction: Instruction<'RUN'>,
  {network, insecure}: {readonly network: string; readonly insecure: boolean},
  {allow, findings}: RunPlanning,
): void {
  const {line, written} = instruction;
  const place = placeIn(line, written.at, line.text.length);
  const refuse = (what: string, flag: string) =>
    findings.error(place, 'not-allowed', `RUN asks for ${what}`, `allow it with --allow ${flag}`);
  if (instruction.network === 'host' && network === 'host' && !allow.includes('network.host'))
    refuse('the network of the machine', 'network.host');
  if (insecure && !allow.includes('security.insecure')) refuse('all privileges', 'security.insecure');
}

async function planMounts(
  draft: StageDraft,
  instruction: Instruction<'RUN'>,
  planning: RunPlanning,
): Promise<readonly StepMount[]> {
  const planned: StepMount[] = [];
  for (const mount of instruction.mounts) {
    const agents = planned.filter(({type}) => type === 'ssh').length;
    planned.push(await planMount(new MountValues(draft, instruction, mount, planning), agents));
  }
  return planned;
}

/** The fields of a mount with their variables put in. */
class MountValues {
  readonly draft: StageDraft;
  readonly instruction: Instruction<'RUN'>;
  readonly mount: Mount;
  readonly planning: RunPlanning;

  constructor(draft: StageDraft, instruction: Instruction<'RUN'>, mount: Mount, planning: RunPlanning) {
    this.draft = draft;
    this.instruction = instruction;
    this.mount = mount;
    this.planning = planning;
  }

  text(key: 'source' | 'target' | 'id' | 'mode' | 'uid' | 'gid' | 'size' | 'env'): string | undefined {
    const value = this.mount[key];
    if (value === undefined) return undefined;
    return expandedText(this.draft, this.instruction, {text: value, at: this.mount.flag.valueAt}, this.planning);
  }

  number(key: 'uid' | 'gid', otherwise = 0): number {
    return Number(this.text(key) ?? otherwise);
  }

  mode(otherwise: number): number {
    const text = this.text('mode');
    return text === undefined ? otherwise : Number.parseInt(text, 8);
  }

  target(): string {
    return posix.resolve(this.draft.config.WorkingDir || '/', this.text('target') ?? '');
  }

  async origin(): Promise<Origin | undefined> {
    const {from} = this.mount;
    return from === undefined ? undefined : await this.planning.findOrigin(from, this.instruction);
  }
}

async function planMount(values: MountValues, agents: number): Promise<StepMount> {
  const {mount} = values;
  const owner = {uid: values.number('uid'), gid: values.number('gid')};
  switch (mount.type) {
    case 'bind': {
      const from = (await values.origin()) ?? {kind: 'context', name: undefined};
      const source = values.text('source') ?? '/';
      return {type: 'bind', from, source, target: values.target(), readOnly: mount.readOnly ?? true};
    }
    case 'cache': {
      const target = values.target();
      return {
        ...{type: 'cache', id: values.text('id') || target, from: await values.origin(), target, ...owner},
        sharing: (mount.sharing ?? 'shared') as 'shared' | 'private' | 'locked',
        source: values.text('source') ?? '/',
        readOnly: mount.readOnly ?? false,
        mode: values.mode(0o755),
      };
    }
    case 'tmpfs': {
      const size = values.text('size');
      return {type: 'tmpfs', target: values.target(), size: size === undefined ? undefined : parseBytes(size)};
    }
    case 'secret': {
      const env = values.text('env');
      const given = values.text('id') ?? values.text('source');
      const id = given ?? posix.basename(values.text('target') ?? '');
      const known = values.planning.secrets.find((secret) => secret.id === id);
      const named = mount.target === undefined ? undefined : values.target();
      const target = named ?? (env === undefined ? `/run/secrets/${posix.basename(id)}` : undefined);
      return {
        ...{type: 'secret', id, target, env, required: mount.required ?? false},
        ...{uid: values.number('uid', known?.uid), gid: values.number('gid', known?.gid)},
        mode: values.mode(known?.mode ?? 0o400),
      };
    }
    case 'ssh': {
      const target = mount.target === undefined ? `/run/buildkit/ssh_agent.${agents}` : values.target();
      const id = values.text('id') || 'default';
      const env = agents === 0 ? 'SSH_AUTH_SOCK' : undefined;
      return {...{type: 'ssh', id, target, env, ...owner}, required: mount.required ?? false, mode: values.mode(0o600)};
    }
  }
}
