import {posix} from 'node:path';
import {parseGitReference} from '../../../api/git-reference.ts';
import {toTscomposeError} from '../../../base/errors.ts';
import {redactUrls} from '../../../base/redact-url.ts';
import type {Flag, Instruction} from '../../../dockerfile/instruction.ts';
import {placeIn} from '../../../dockerfile/logical-line.ts';
import type {CopyStep, Origin} from '../steps.ts';
import {addLine, bodyOf, expandedText, type StageDraft, shownText} from './draft.ts';
import type {FindOrigin} from './run.ts';
import {ownerOf, type Planning} from './settings.ts';

export interface FilesPlanning extends Planning {
  readonly findOrigin: FindOrigin;
}

/** COPY and ADD. */
export async function planFiles(
  draft: StageDraft,
  instruction: Instruction<'COPY' | 'ADD'>,
  planning: FilesPlanning,
): Promise<void> {
  const value = (flag: Flag | undefined): string =>
    flag === undefined ? '' : expandedText(draft, instruction, {text: flag.value, at: flag.valueAt}, planning);
  const chown = value(instruction.chown);
  const chmod = value(instruction.chmod);
  const exclude = instruction.exclude.map(value);
  const sources = instruction.sources.map((word) => expandedText(draft, instruction, word, planning));
  const written = expandedText(draft, instruction, instruction.target, planning);
  const inline = instruction.inline.map(({name, content, expand, line}) => ({
    name,
    content: expand ? bodyOf(draft, instruction, {content, line}, planning) : content,
  }));
  const copies = await originsOf(instruction, {sources, inline, checksum: checksumOf(instruction, value)}, planning);
  const names = [...sources, ...inline.map(({name}) => `<<${name}`)];
  checkTarget(instruction, names, written, planning);
  checkDigest(instruction, [...sources, ...inline.map(() => '')], planning);
  const step: Omit<CopyStep, 'id' | 'title' | 'stage' | 'place' | 'written' | 'fresh'> = {
    kind: 'copy',
    parent: draft.result,
    copies,
    target: absoluteTarget(draft.config.WorkingDir || '/', written),
    owner: ownerOf(chown),
    chmod,
    link: instruction.link,
    parents: instruction.keyword === 'COPY' && instruction.parents,
    exclude,
    shell: {env: [...draft.variables].map((pair) => pair.join('=')), cwd: draft.config.WorkingDir || '/'},
  };
  const shown = shownText(draft, instruction, planning);
  draft.result = planning.steps.add(draft, instruction, redactUrls(`${instruction.keyword} ${shown}`), step);
  const line = `${flagsShown(instruction, {chown, chmod})} ${[...names, written].join(' ')} # buildkit`;
  // Whoever has the image reads its history.
  addLine(draft, redactUrls(instruction.keyword + line), draft.result);
}

function checksumOf(
  instruction: Instruction<'COPY' | 'ADD'>,
  value: (flag: Flag | undefined) => string,
): string | undefined {
  return instruction.keyword === 'ADD' && instruction.checksum !== undefined ? value(instruction.checksum) : undefined;
}

function flagsShown(
  {keyword, ...instruction}: Instruction<'COPY' | 'ADD'>,
  {chown, chmod}: {readonly chown: string; readonly chmod: string},
): string {
  const parents = keyword === 'COPY' && 'parents' in instruction && instruction.parents;
  return [
    ...(parents ? ['--parents'] : []),
    ...(chown === '' ? [] : [`--chown=${chown}`]),
    ...(chmod === '' ? [] : [`--chmod=${chmod}`]),
  ]
    .map((flag) => ` ${flag}`)
    .join('');
}

interface Given {
  readonly sources: readonly string[];
  readonly inline: readonly {readonly name: string; readonly content: string}[];
  readonly checksum: string | undefined;
}

const remote = /^(?:https?|git|ssh):\/\/|^[a-zA-Z0-9_][\w-]*@[a-zA-Z0-9][\w.-]*:/;

async function originsOf(
  instruction: Instruction<'COPY' | 'ADD'>,
  {sources, inline, checksum}: Given,
  planning: FilesPlanning,
): Promise<CopyStep['copies']> {
  const {findOrigin} = planning;
  const from: Origin =
    instruction.keyword === 'COPY' && instruction.from !== undefined
      ? await findOrigin(instruction.from.value, instruction)
      : {kind: 'context', name: undefined};
  const isRemote = (source: string) => instruction.keyword === 'ADD' && remote.test(source);
  const local = sources.filter((source) => !isRemote(source));
  checkRemote(instruction, sources, planning);
  const keepGitDir = instruction.keyword === 'ADD' && instruction.keepGitDir;
  const unpack = instruction.keyword === 'ADD' ? instruction.unpack : false;
  return [
    ...(local.length > 0 ? [{from, sources: local, unpack: unpack !== false}] : []),
    ...sources.filter(isRemote).map((url) => ({
      from: {kind: 'remote', url, checksum, keepGitDir} as const,
      sources: [''],
      unpack: unpack === true && !isRepository(url),
    })),
    ...(inline.length > 0
      ? [{from: {kind: 'inline', files: inline} as const, sources: inline.map(({name}) => name), unpack: false}]
      : []),
  ];
}

function isRepository(source: string): boolean {
  try {
    return parseGitReference(source) !== undefined;
  } catch {
    // It is told with its place.
    return true;
  }
}

/** What is wrong with an address is told before anything is fetched; COPY fetches nothing. */
function checkRemote(
  {keyword, line, sources: words}: Instruction<'COPY' | 'ADD'>,
  sources: readonly string[],
  {findings}: FilesPlanning,
): void {
  for (const [index, source] of sources.entries()) {
    if (!remote.test(source)) continue;
    const {at = 0, text = ''} = words[index] ?? {};
    const place = placeIn(line, at, at + text.length);
    if (keyword === 'COPY' && /^[a-z]+:\/\//.test(source)) {
      findings.error(
        place,
        'copy-remote',
        `COPY: "${redactUrls(source)}" is no path: COPY fetches nothing`,
        'write ADD',
      );
      continue;
    }
    try {
      if (keyword === 'ADD') parseGitReference(source);
    } catch (error) {
      const {message, hint} = toTscomposeError(error);
      findings.error(place, 'invalid-source', `ADD: ${message}`, hint);
    }
  }
}

function checkTarget(
  instruction: Instruction<'COPY' | 'ADD'>,
  names: readonly string[],
  target: string,
  {findings}: FilesPlanning,
): void {
  if (names.length < 2 || target.endsWith('/') || target === '.' || target.endsWith('/.')) return;
  const {at, text} = instruction.target;
  const message = `${instruction.keyword} has several sources, so the target "${target}" must be a directory`;
  findings.error(placeIn(instruction.line, at, at + text.length), 'target-directory', message, 'end it with a "/"');
}

/** Digests are for addresses alone. */
function checkDigest(
  {keyword, line, ...instruction}: Instruction<'COPY' | 'ADD'>,
  sources: readonly string[],
  {findings}: FilesPlanning,
): void {
  const checksum = keyword === 'ADD' && 'checksum' in instruction ? instruction.checksum : undefined;
  if (checksum === undefined || sources.every((source) => remote.test(source))) return;
  const {at, end} = checksum;
  const message = 'ADD: --checksum is for what comes from the network';
  findings.error(placeIn(line, at, end), 'invalid-flag', message, 'remove it, or name one address and nothing else');
}

/** A slash at its end, which says that it is a directory, stays. */
function absoluteTarget(cwd: string, target: string): string {
  const path = posix.resolve(cwd, target);
  const directory = target === '' || target.endsWith('/') || target === '.' || target.endsWith('/.');
  return directory && path !== '/' ? `${path}/` : path;
}
