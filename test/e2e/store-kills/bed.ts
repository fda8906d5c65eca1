import {randomBytes} from 'node:crypto';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import {createHelper} from '../../../src/engine/helper/coprocess.ts';
import {locateHelper} from '../../../src/engine/helper/locate.ts';
import {dockerArchive, makeImage} from '../../engine/image/bed.ts';
import {nativeProgram} from '../../native/network-bed.ts';
import {projectDirectory, type TestHost} from '../../support/host.ts';
import {skopeo, startRegistry} from '../../support/registry.ts';
import {type Fault, type FaultBed, ruleText} from '../faults/bed.ts';
import {bundleProgram} from '../faults/bundle.ts';
import {type Job, type KillCase, killCases, victimLabel} from './jobs.ts';

export interface Started {
  readonly ended: Promise<{readonly code: number | null; readonly stderr: string}>;
  kill(): void;
  /** How many were counted, once it has ended: of one that was started with a fault. */
  operations(): number;
}

/** A root with a container that runs, a registry with an image, an archive and a context. */
export interface KillBed extends AsyncDisposable {
  readonly faults: FaultBed;
  readonly cases: readonly KillCase[];
  /** Names of images that stay. */
  readonly kept: readonly string[];
  /** What an archive that was written whole has. */
  readonly saved: {whole?: Buffer | undefined};
  /** From now on pushes go where nothing was pushed to. */
  renew(): void;
  start(job: Job, fault: Fault | undefined): Started;
  /** Locks that somebody holds who adds content. */
  held(): Promise<readonly string[]>;
}

/** Stands for a repository in which nothing is yet. */
const freshTarget = '{target}';

export async function furnishStore(faults: FaultBed): Promise<KillBed> {
  const {host} = faults;
  const within = ['nsenter', `--net=/run/netns/${host.namespace}`];
  const [program, supervisor] = [await bundleProgram(host), nativeProgram('faults')];
  const registry = await startRegistry({within});
  const helperPath = await locateHelper(process.env['TSCOMPOSE_HELPER']);
  const helper = createHelper({helperPath});
  const source = `${registry.host}/source:1`;
  writeContext(host);
  writeFileSync(join(host.directory, 'image.tar'), dockerArchive([{image: victimImage(), tags: ['loaded:1']}]));
  const from = `docker-archive:${join(host.directory, 'image.tar')}`;
  const copied = await skopeo(['copy', '--dest-tls-verify=false', from, `docker://${source}`], within);
  expect(copied).toMatchObject({code: 0});
  let pushes = 0;
  let starts = 0;

  const wordsOf = (job: Job): readonly string[] => {
    if ('calls' in job) {
      const places = [host.root, host.run, host.cgroupParent, join(host.directory, 'armed'), ''];
      return [program, ...places, '[]', JSON.stringify(job.calls)];
    }
    const target = `${registry.host}/target-${pushes}:1`;
    return [join(projectDirectory, 'dist/cli.cjs'), ...job.words.map((word) => word.replace(freshTarget, target))];
  };
  return {
    faults,
    cases: killCases({source, target: freshTarget}),
    kept: ['busybox:latest'],
    saved: {},
    renew() {
      pushes += 1;
    },
    start(job, fault) {
      starts += 1;
      const [rule, log] = [join(host.directory, `rule-${starts}`), join(host.directory, `log-${starts}`)];
      if (fault !== undefined) {
        writeFileSync(rule, ruleText(fault));
        writeFileSync(log, '');
      }
      let kill = () => {};
      const words = [process.execPath, ...wordsOf(job)];
      const [first = '', ...rest] = fault === undefined ? words : [supervisor, rule, log, ...words];
      const ended = host.command(first, rest, {
        env: {TSCOMPOSE_HELPER: helperPath},
        onSpawn: (process) => {
          kill = () => void process.kill('SIGKILL');
        },
      });
      const operations = () => readFileSync(log, 'utf8').split('\n').filter(Boolean).length;
      return {ended: ended.then(failedCalls), kill: () => kill(), operations};
    },
    async held() {
      const directories = [join(host.root, 'images/leases'), join(host.run, 'builds')];
      const found: string[] = [];
      for (const path of directories.flatMap(filesOf)) {
        const lock = await helper.tryLock(path);
        if (lock === undefined) found.push(path);
        await lock?.[Symbol.asyncDispose]();
      }
      return found;
    },
    async [Symbol.asyncDispose]() {
      await helper.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** Of requests, a refusal is an answer. */
function failedCalls<T extends {readonly code: number | null; readonly stdout: string; readonly stderr: string}>(
  ended: T,
) {
  const refused = ended.stdout.split('\n').find((line) => line.startsWith('{"error":'));
  return refused === undefined ? ended : {...ended, code: 1, stderr: ended.stderr + refused};
}

/** Small files, and some that take their time. */
function victimImage() {
  const small = Array.from({length: 200}, (_, index) => ({name: `small/${index}`, data: `file ${index}\n`}));
  const large = (name: string) => [{name, data: randomBytes(1_500_000)}];
  return makeImage({layers: [small, large('one'), large('two')], config: {Cmd: ['sh'], Labels: {[victimLabel]: '1'}}});
}

function writeContext({directory}: TestHost): void {
  const context = join(directory, 'context');
  mkdirSync(join(context, 'files'), {recursive: true});
  for (let index = 0; index < 200; index += 1) writeFileSync(join(context, `files/${index}`), `file ${index}\n`);
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
}

const dockerfile = `FROM busybox AS made
RUN --network=none seq 100000 > /numbers
FROM busybox
LABEL ${victimLabel}=1
RUN --mount=type=cache,target=/cache seq 1000 > /cache/numbers
COPY files /files
COPY --from=made /numbers /numbers
WORKDIR /work
`;

function filesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^[0-9a-f-]{36}$|\.lock$/.test(name))
      .map((name) => join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
