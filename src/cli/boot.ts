import {readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {cachedDataVersionTag, setFlagsFromString} from 'node:v8';
import {Script} from 'node:vm';
import {groupNames} from './group-names.ts';
import {cacheDirectory, keepFile, makeKept, readKept} from './kept-files.ts';

/**
 * Starts the program (`main.ts`, bundled into one function) from compiled code that an earlier run of the same command has
 * kept: reading and compiling it anew would be the greater part of a short command. See docs/decisions/0011-code-cache.md.
 */

/**
 * Files beside this one, whose names hold a digest of their content: the whole program, and those that hold what one command
 * needs (`engine-build`) and no other.
 */
declare const TSCOMPOSE_PROGRAMS: {readonly whole: string; readonly [command: string]: string};
/** What NODE_EXTRA_CA_CERTS is called on its way past Node (scripts/build.mjs). */
declare const TSCOMPOSE_KEPT_VARIABLE: string;

/** Each of the first runs of a command adds the functions it needed; after that its cache is left as it is. */
const learningRuns = 4;
/** Caches of other builds are removed at that age; milliseconds. */
const keptFor = 30 * 24 * 60 * 60 * 1000;

/**
 * V8's settings for a run that ends before the optimizer has paid for what it makes, and before memory is worth being gathered
 * in between; and those that Node was built with. They are the same on every line from 20 on: one that V8 does not know would
 * be told of on standard error. By itself V8 takes a cache whose content was damaged, and crashes with it, run for run.
 */
const forShortRuns =
  '--no-opt --no-minor-gc-task --semi-space-growth-factor=8 --no-flush-bytecode --verify-snapshot-checksum';
const asBuilt = '--opt --minor-gc-task --semi-space-growth-factor=2 --flush-bytecode --no-verify-snapshot-checksum';

interface Cache {
  readonly data: Buffer | undefined;
  /** How many runs have added to it. */
  readonly runs: number;
}

/** What a program is given, as `tscompose` (scripts/build.mjs). */
export interface Boot {
  /** Stands for `import.meta.url`. */
  readonly url: string;
  /** Stands for `import()`. */
  readonly importModule: (path: string) => Promise<unknown>;
  /** To be called once, when everything is done. */
  readonly beforeExit: () => void;
  /** Starts the whole program from the beginning. */
  readonly runWhole: () => void;
  /** Name of the whole program's file, whichever runs. */
  readonly program: string;
}

function start(): void {
  giveBackVariable();
  const command = commandName();
  // Whatever somebody types: also "constructor".
  const file = Object.hasOwn(TSCOMPOSE_PROGRAMS, command) ? TSCOMPOSE_PROGRAMS[command] : undefined;
  run(file ?? TSCOMPOSE_PROGRAMS.whole, command, optimizeOnlyLongRuns());
}

function run(file: string, command: string, flags: Flags): void {
  const filename = join(__dirname, file);
  const url = pathToFileURL(__filename).href;
  const place = cachePlace(file, command);
  const cache = place === undefined ? {data: undefined, runs: 0} : readCache(place);
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename,
    ...(cache.data !== undefined && {cachedData: cache.data}),
  });
  const runs = script.cachedDataRejected === true ? 0 : cache.runs;
  const beforeExit = () => {
    if (place === undefined || runs >= learningRuns) return;
    // A cache is taken only with the settings with which it was made.
    setFlagsFromString(forShortRuns);
    keep(place, script.createCachedData(), runs + 1);
  };
  // Modules beside this one: code from a cache cannot import by itself.
  const importModule = (path: string) => import(new URL(path, url).href);
  const {whole} = TSCOMPOSE_PROGRAMS;
  const runWhole = () => run(whole, command, flags);
  const boot: Boot = {url, importModule, beforeExit, runWhole, program: whole};
  script.runInThisContext()(requireBuiltin(flags), {}, boot);
}

function giveBackVariable(): void {
  const {[TSCOMPOSE_KEPT_VARIABLE]: value} = process.env;
  if (value === undefined) return;
  process.env['NODE_EXTRA_CA_CERTS'] = value;
  delete process.env[TSCOMPOSE_KEPT_VARIABLE];
}

/**
 * A short command ends before optimized code has paid for being made: with the optimizer, parsing a stack file of 300 lines
 * costs three times the CPU. What still runs after a second gets it.
 */
function optimizeOnlyLongRuns(): Flags {
  let flags = forShortRuns;
  setFlagsFromString(flags);
  setTimeout(() => {
    flags = asBuilt;
    setFlagsFromString(flags);
  }, 1000).unref();
  return {
    asNodeWasBuilt(work) {
      setFlagsFromString(asBuilt);
      try {
        return work();
      } finally {
        setFlagsFromString(flags);
      }
    },
  };
}

interface Flags {
  asNodeWasBuilt<T>(work: () => T): T;
}

/**
 * What the program is given as `require`. Node brings the compiled code of its own modules along, and V8 takes it only with
 * the flags that Node was built with: otherwise each of them would be compiled anew.
 */
function requireBuiltin(flags: Flags): (name: string) => unknown {
  const modules = new Map<string, unknown>();
  return (name) => {
    if (!modules.has(name))
      modules.set(
        name,
        flags.asNodeWasBuilt(() => require(name)),
      );
    return modules.get(name);
  };
}

interface Place {
  readonly directory: string;
  /** The command, so that one that needs little reads little. */
  readonly name: string;
}

/** Undefined where nothing is to be kept. NODE_DISABLE_COMPILE_CACHE is Node's own switch for the same thing. */
function cachePlace(file: string, name: string): Place | undefined {
  const {env} = process;
  const caches = cacheDirectory(env);
  if (caches === undefined || env['NODE_DISABLE_COMPILE_CACHE']) return undefined;
  const engine = `${process.version}-${process.arch}-${cachedDataVersionTag().toString(16)}`;
  return {directory: join(caches, 'code', `${file}-${engine}`), name};
}

/**
 * As far as it can be told without reading the command line: what follows a flag may be its value. Each command of a group needs
 * other code.
 */
function commandName(): string {
  const words = process.argv.slice(2);
  const isCommand = (word: string) => /^(?:__)?[a-z]{2,20}$/.test(word);
  const isFlag = (word: string | undefined) => word?.startsWith('-') === true && !word.includes('=');
  const first = words.findIndex((word, index) => isCommand(word) && !isFlag(words[index - 1]));
  if (first === -1) return 'none';
  let last = first;
  while (groupNames.has(words[last] ?? '') && isCommand(words[last + 1] ?? '')) last += 1;
  return words.slice(first, last + 1).join('-');
}

function readCache({directory, name}: Place): Cache {
  for (let runs = learningRuns; runs > 0; runs -= 1) {
    const data = readKept(directory, `${name}-${runs}`);
    if (data !== undefined) return {data, runs};
  }
  return {data: undefined, runs: 0};
}

/** A cache that cannot be kept is none: the next run compiles again. */
function keep({directory, name}: Place, data: Buffer, runs: number): void {
  try {
    if (makeKept(directory)) removeOutdated(dirname(directory));
    if (!keepFile(directory, `${name}-${runs}`, data)) return;
    for (let other = 1; other <= learningRuns; other += 1)
      if (other !== runs) rmSync(join(directory, `${name}-${other}`), {force: true});
  } catch {
    // No room, no permission, or another run is at it.
  }
}

/** A cache is not written any more once it has learned, however often it is used: those of this build's programs stay. */
function removeOutdated(parent: string): void {
  const own = Object.values(TSCOMPOSE_PROGRAMS);
  for (const entry of readdirSync(parent)) {
    const path = join(parent, entry);
    if (own.some((file) => entry.startsWith(file))) continue;
    if (Date.now() - statSync(path).mtimeMs > keptFor) rmSync(path, {recursive: true, force: true});
  }
}

start();
