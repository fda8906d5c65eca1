import {createReadStream, existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {BuildBody, BuildEvent} from '../../../src/api/types/build.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {archiveEntries} from './archive-entries.mjs';
import type {BuildCase} from './cases/index.mjs';
import {serveCases, withoutServer, withServer} from './cases-server.mjs';
import {writeFiles} from './context-files.mjs';
import {eventsOf, plainBody} from './plain-body.ts';

export type Files = Readonly<Record<string, string>>;

/** An engine that carries out cases. */
export interface BuildBed extends AsyncDisposable {
  readonly bed: TestEngine;
  /** Of the image that most cases are built on. */
  readonly base: Files;
  /** A context on disk with these files and the Dockerfile. */
  context(testCase: BuildCase): string;
  bodyOf(context: string, testCase: BuildCase): BuildBody;
  build(body: BuildBody): Promise<readonly BuildEvent[]>;
  /** The same of what may fail: what was told until then. */
  attempt(body: BuildBody): Promise<{readonly events: readonly BuildEvent[]; readonly failed: boolean}>;
  /** Of the result, in one line each. */
  filesOf(body: BuildBody): Promise<Files>;
  /** As it is recorded: without times, and without the digests of layers. */
  configOf(events: readonly BuildEvent[]): unknown;
}

export async function openBuildBed(): Promise<BuildBed> {
  const directory = mkdtempSync(join(tmpdir(), 'tscompose-builds-'));
  const server = await serveCases();
  const bed = await openTestEngine({encode: false});
  for (const image of ['busybox', 'quick'] as const)
    for await (const _ of bed.engine.images.load(createReadStream(imageArchive(image))));
  const build = (body: BuildBody) => eventsOf(bed.engine, body);

  const attempt: BuildBed['attempt'] = async (body) => {
    const events: BuildEvent[] = [];
    try {
      for await (const event of bed.engine.builds.build(body)) events.push(event);
      return {events, failed: false};
    } catch {
      return {events, failed: true};
    }
  };

  const context: BuildBed['context'] = ({files, dockerfile}) => {
    const path = mkdtempSync(join(directory, 'case-'));
    writeFiles(path, {...files, Dockerfile: withServer(dockerfile, server.address)});
    return path;
  };

  const filesOf: BuildBed['filesOf'] = async (body) => {
    const path = join(mkdtempSync(join(directory, 'files-')), 'tar');
    await build({...body, outputs: [{kind: 'tar', path}]});
    const entries = await archiveEntries(createReadStream(path));
    rmSync(path);
    return entries;
  };

  const configOf: BuildBed['configOf'] = (events) => {
    const path = join(bed.host.root, 'images/oci/blobs/sha256', imageOf(events).slice('sha256:'.length));
    const {config, architecture, os, author, history, rootfs} = JSON.parse(readFileSync(path, 'utf8'));
    const lines = history.map(({created: _created, ...line}: {readonly created: string}) => line);
    const all = {config, architecture, os, author, history: lines, layers: rootfs.diff_ids.length};
    return JSON.parse(withoutServer(JSON.stringify(all), server.address));
  };

  const bare = context({name: 'bare', files: {}, dockerfile: 'FROM busybox\n'});
  return {
    ...{bed, context, bodyOf, build, attempt, filesOf, configOf},
    base: await filesOf(bodyOf(bare, {name: 'bare', files: {}, dockerfile: ''})),
    async [Symbol.asyncDispose]() {
      server.close();
      await bed.close();
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

function bodyOf(context: string, testCase: BuildCase): BuildBody {
  const {target, labels = {}, secret, noCache = false, noCacheFilter} = testCase;
  const ignore = join(context, '.dockerignore');
  return plainBody(readFileSync(join(context, 'Dockerfile'), 'utf8'), {
    context,
    ...(existsSync(ignore) ? {ignore: readFileSync(ignore, 'utf8')} : {}),
    ...(target === undefined ? {} : {target}),
    arguments: testCase.arguments ?? {},
    labels,
    secrets: secret === undefined ? [] : [{id: 's', content: {base64: Buffer.from(secret).toString('base64')}}],
    noCache: noCacheFilter === undefined ? noCache : [noCacheFilter],
  });
}

function imageOf(events: readonly BuildEvent[]): string {
  const built = events.find((event) => event.kind === 'built');
  if (built?.kind !== 'built') throw new Error('nothing was built');
  return built.image;
}
