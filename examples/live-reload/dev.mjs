// Compiles what is saved in src to dist, while tscompose brings what is new in dist and public into the container.
import {spawn} from 'node:child_process';
import {mkdir, writeFile} from 'node:fs/promises';
import {context} from 'esbuild';

/** Left to itself the compiler deletes what it made before when it finds a mistake, and the program would be gone. */
const keepWhatWorks = {
  name: 'keep what works',
  setup: ({onEnd}) =>
    onEnd(async ({errors, outputFiles}) => {
      if (errors.length > 0) return;
      await mkdir('dist', {recursive: true});
      await Promise.all(outputFiles.map(({path, contents}) => writeFile(path, contents)));
    }),
};

const compiler = await context({
  entryPoints: ['src/server.ts', 'src/probe.ts'],
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'warning',
  write: false,
  plugins: [keepWhatWorks],
});
// What is wrong it has told by itself.
await compiler.rebuild().catch(() => process.exit(1));
await compiler.watch();

const stack = spawn('tscompose', ['up', '--watch'], {stdio: 'inherit'});
// Ctrl-C is the stack's: it stops the program, and then all is over.
process.on('SIGINT', () => {});
stack.on('error', async ({message}) => {
  console.error(`cannot start tscompose: ${message}. "npm link" in its folder makes it a command`);
  await compiler.dispose();
  process.exitCode = 1;
});
stack.on('exit', async (code) => {
  await compiler.dispose();
  process.exit(code ?? 1);
});
