// Builds everything `npm ci` promises: the native helper, the validators compiled from schemas, the bundled command line.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {resolve} from 'node:path';
import {build} from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const staging = `.cache/build-${process.pid}`;

/** Compilers by architecture, for the published package. */
const compilers = {x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc'};
const digests = {};

function run(command, args, explain) {
  const result = spawnSync(command, args, {cwd: root, stdio: 'inherit'});
  if (result.error?.code === 'ENOENT' || result.status !== 0) {
    console.error(explain);
    process.exit(1);
  }
}

function buildNative() {
  for (const tool of ['cc', 'make']) {
    if (spawnSync(tool, ['--version'], {stdio: 'ignore'}).error) {
      console.error(`tscompose: cannot build the native helper: "${tool}" is missing`);
      console.error(
        'Install a C compiler and make (Debian, Ubuntu: apt-get install gcc make libc6-dev), then run npm ci again.',
      );
      process.exit(1);
    }
  }
  for (const [architecture, compiler] of Object.entries(compilers)) {
    const own = architecture === process.arch;
    if (!own && !process.argv.includes('--all-architectures')) continue;
    const build = own ? 'build' : `build/${architecture}`;
    const words = own ? [] : [`BUILD=${build}`, `CC=${compiler}`];
    const hint = own ? 'see above' : `see above; Debian has ${compiler} in gcc-${compiler.replace(/-gcc$/, '')}`;
    run(
      'make',
      ['-s', `-j${availableParallelism()}`, '-C', 'native', ...words],
      `tscompose: the native helper for ${architecture} did not compile (${hint})`,
    );
    const target = `${staging}/native/linux-${architecture}`;
    mkdirSync(`${root}${target}`, {recursive: true});
    for (const file of ['tscompose-helper', 'build-id'])
      copyFileSync(`${root}native/${build}/${file}`, `${root}${target}/${file}`);
    digests[`linux-${architecture}/tscompose-helper`] = createHash('sha256')
      .update(readFileSync(`${root}${target}/tscompose-helper`))
      .digest('hex');
  }
  writeFileSync(`${root}${staging}/native/digests.json`, `${JSON.stringify(digests, null, 2)}\n`);
}

/**
 * Parts that are not in the program's one function: Ink is made of modules that wait at their top level, undici is long and
 * few commands need it, and the decoders of rare compressions fewer. Each becomes a file of its own that the program imports when
 * it needs it. Name of the file: entry.
 */
const modules = {
  ink: 'src/tui/app/ink-compat.tsx',
  undici: 'src/engine/registry/dispatcher.ts',
  decoders: 'src/engine/image/decoders.ts',
  messages: 'src/server/buildkit/messages.ts',
};

/**
 * Commands that get a program of their own, without what only others need: V8 takes in each function of a program, whether it is
 * called or not. Name of the command: its module.
 */
const lean = {
  exec: './commands/exec.ts',
  'engine build': './commands/engine-build.ts',
};

const shared = {
  absWorkingDir: root,
  outdir: staging,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // Reading the code is a good part of a short command.
  minify: true,
  legalComments: 'linked',
  logLevel: 'warning',
};

/** Lets an import of one of the modules find its file. */
const findModules = {
  name: 'modules',
  setup({onResolve}) {
    const files = new Map(Object.entries(modules).map(([name, entry]) => [resolve(root, entry), `./${name}.mjs`]));
    onResolve({filter: /^\./}, ({path, resolveDir, kind}) => {
      const file = files.get(resolve(resolveDir, path));
      return kind === 'dynamic-import' && file !== undefined ? {path: file, external: true} : undefined;
    });
  },
};

/** Leaves out what the tables of commands import, but for the one module. */
function onlyModule(module) {
  const tables = /\/src\/cli\/(?:[a-z]+-)?commands\.ts$/;
  let found = false;
  return {
    name: 'only-module',
    setup({onResolve, onLoad, onEnd}) {
      onResolve({filter: /^\./}, ({path, kind, importer}) => {
        if (kind !== 'dynamic-import' || !tables.test(importer)) return undefined;
        if (path !== module) return {path, namespace: 'left-out'};
        found = true;
        return undefined;
      });
      onLoad({filter: /.*/, namespace: 'left-out'}, () => ({contents: 'module.exports = {};'}));
      onEnd(() => {
        if (!found) throw new Error(`no table of commands imports "${module}"`);
      });
    },
  };
}

/**
 * Ink asks for its developer tools where a variable of the environment says so, and makes an object of each cell of each
 * frame: the first stays out, the second gets the screen's own rows (docs/decisions/0012-ink-behind-our-screen.md). Fails where Ink has changed.
 */
function lightInk() {
  let replaced = false;
  const stubs = {'react-devtools-core': 'export default {initialize() {}, connectToDevTools() {}};'};
  return {
    name: 'light-ink',
    setup(plugin) {
      plugin.onResolve({filter: /^react-devtools-core$/}, ({path}) => ({path, namespace: 'stub'}));
      plugin.onLoad({filter: /.*/, namespace: 'stub'}, ({path}) => ({contents: stubs[path]}));
      plugin.onResolve({filter: /^\.\/output\.js$/}, ({importer}) => {
        if (!/\/ink\/build\/[^/]+$/.test(importer)) return undefined;
        replaced = true;
        return {path: `${root}src/tui/app/ink-output.ts`};
      });
      plugin.onEnd(() => {
        if (!replaced) throw new Error('Ink no longer has its module "output": see src/tui/app/ink-compat.tsx');
      });
    },
  };
}

/**
 * Code from V8's cache has forgotten who imports for it ("a dynamic import callback was not specified"): what the program
 * imports at run time, `boot.ts` imports, which is a module itself.
 */
function importByBoot(file, command) {
  let text = readFileSync(file, 'utf8');
  for (const name of Object.keys(modules)) {
    const before = `import("./${name}.mjs")`;
    if (command === '' && !text.includes(before)) throw new Error(`the program does not import its module "${name}"`);
    text = text.replaceAll(before, `tscompose.importModule("./${name}.mjs")`);
  }
  const other = /[^\w$.]import\(/.exec(text);
  if (other !== null)
    throw new Error(
      `the program imports a module that is no row of "modules": ${text.slice(other.index, other.index + 80)}`,
    );
  // It is read as Latin-1, which is quicker. esbuild escapes what is not ASCII, except in regular expressions.
  const letter = /[^\0-\x7f]/u.exec(text);
  if (letter !== null)
    throw new Error(`the program is not pure ASCII: ${text.slice(Math.max(0, letter.index - 40), letter.index + 40)}`);
  writeFileSync(file, text);
}

/**
 * The first lines of the program: a shell reads the second one as a command, JavaScript as a text and a comment. Without
 * `--` Node 20 takes our own `--env-file` for one of its flags, wherever it stands, and ends when there is no such file;
 * a plain `#!` cannot pass it on (busybox's `env` has no `-S`).
 *
 * Where NODE_EXTRA_CA_CERTS is set, Node reads some hundred certificates before anything else, 40 ms of each command: we read
 * them for the first connection that needs them (`authorities.ts`). The variable goes past Node by another name; `boot.ts`
 * gives it back its own.
 */
const keptVariable = 'TSCOMPOSE_NODE_EXTRA_CA_CERTS';
const starter = [
  '#!/bin/sh',
  '":" //; [ -z "$NODE_EXTRA_CA_CERTS" ] ||' +
    ` { export ${keptVariable}="$NODE_EXTRA_CA_CERTS"; unset NODE_EXTRA_CA_CERTS; }; exec node -- "$0" "$@"`,
].join('\n');

/** A program as one function, which `boot.ts` calls (see docs/decisions/0011-code-cache.md). Answers the name of its file. */
async function bundleProgram(name, command, plugins) {
  const {version} = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  await build({
    ...shared,
    entryPoints: {[name]: 'src/cli/main.ts'},
    outExtension: {'.js': '.cjs'},
    format: 'cjs',
    define: {
      TSCOMPOSE_VERSION: JSON.stringify(version),
      TSCOMPOSE_ONLY: JSON.stringify(command),
      'import.meta.url': 'tscompose.url',
    },
    banner: {js: '(function(require,module,tscompose){'},
    footer: {js: '})'},
    plugins: [findModules, ...plugins],
  });
  const written = `${root}${staging}/${name}.cjs`;
  importByBoot(written, command);
  const digest = createHash('sha256').update(readFileSync(written)).digest('hex');
  const file = `${name}-${digest.slice(0, 16)}.cjs`;
  renameSync(written, `${root}${staging}/${file}`);
  return file;
}

/** The programs, what they import, and what starts them. */
async function bundle() {
  const programs = {whole: await bundleProgram('main', '', [])};
  for (const [command, module] of Object.entries(lean)) {
    const name = command.replaceAll(' ', '-');
    programs[name] = await bundleProgram(name, command, [onlyModule(module)]);
  }
  if (Object.keys(modules).length > 0)
    await build({
      ...shared,
      entryPoints: modules,
      outExtension: {'.js': '.mjs'},
      format: 'esm',
      define: {'process.env.NODE_ENV': '"production"'},
      plugins: [lightInk()],
      banner: {
        js: "import {createRequire as __createRequire} from 'node:module';const require=__createRequire(import.meta.url);",
      },
    });
  await build({
    ...shared,
    entryPoints: {cli: 'src/cli/boot.ts'},
    // Node's loader of ES modules would take as long again as reading this.
    outExtension: {'.js': '.cjs'},
    format: 'cjs',
    define: {
      TSCOMPOSE_PROGRAMS: JSON.stringify(programs),
      TSCOMPOSE_KEPT_VARIABLE: JSON.stringify(keptVariable),
    },
    banner: {js: starter},
  });
}

// What is there is replaced at once: a command that runs meanwhile finds the old build or the new one.
rmSync(`${root}${staging}`, {recursive: true, force: true});
if (!process.argv.includes('--no-native')) buildNative();
run(
  process.execPath,
  ['scripts/generate-validators.mjs'],
  'tscompose: the validators could not be generated (see above)',
);
await bundle();
chmodSync(`${root}${staging}/cli.cjs`, 0o755);
if (existsSync(`${root}dist`)) renameSync(`${root}dist`, `${root}${staging}.old`);
renameSync(`${root}${staging}`, `${root}dist`);
rmSync(`${root}${staging}.old`, {recursive: true, force: true});
