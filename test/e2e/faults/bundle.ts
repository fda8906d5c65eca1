import {join} from 'node:path';
import {build} from 'esbuild';
import {projectDirectory, type TestHost} from '../../support/host.ts';

/** `engine-program.ts` as one file, which is run without any of the test's tools. Answers its path. */
export async function bundleProgram(host: TestHost): Promise<string> {
  const outfile = join(host.directory, 'engine-program.mjs');
  await build({
    entryPoints: [join(projectDirectory, 'test/e2e/faults/engine-program.ts')],
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    outfile,
    logLevel: 'silent',
    banner: {js: "import {createRequire as r} from 'node:module';const require=r(import.meta.url);"},
  });
  return outfile;
}
