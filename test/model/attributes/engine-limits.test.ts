import {describe, expect, it} from 'vitest';
import {hasKind} from '../../../src/base/errors.ts';
import {refuseUnsupported} from '../../../src/engine/container/supported-body.ts';
import {checkVolumeOptions} from '../../../src/engine/volume/options.ts';
import {findLimits} from '../../../src/model/limits.ts';
import {lowerService} from '../../../src/model/lower.ts';
import type {Project} from '../../../src/model/types.ts';
import {load} from '../memory-files.ts';
import {environment, filesOf, readRows} from './attribute-row.mjs';

const rows = [...readRows()].filter(([, {ofService}]) => ofService);

/** What the engine says of the container of a project's service. */
function refusalOf(project: Project): string | undefined {
  try {
    const {body} = lowerService({project, service: 'web', replica: 1, features: new Set(['files']), version: '1'});
    refuseUnsupported(body);
    return undefined;
  } catch (error) {
    if (hasKind(error, 'unsupported')) return error.message;
    throw error;
  }
}

describe.each(['first', 'second'] as const)('what the built-in engine refuses of the %s file', (name) => {
  it.each(rows)('%s is refused before anything is changed', async (_path, row) => {
    const texts = Object.entries(filesOf(row)).map(([file, text]) => [`/stack/${file}`, text] as const);
    const files = name === 'first' ? ['first.yaml'] : ['first.yaml', 'second.yaml'];
    const {project} = await load(Object.fromEntries(texts), {files, environment, profiles: row.profiles});
    const limits = findLimits(project).filter(({by}) => by !== 'swarm');
    if (limits.length === 0) expect(refusalOf(project)).toBeUndefined();
    else
      for (const {path, reason} of limits)
        expect({path, reason}).toEqual({
          path: expect.stringMatching(/^(?:services|models)\./),
          reason: expect.stringMatching(/\S/),
        });
  });
});

describe('volumes', () => {
  it.each([
    {type: 'tmpfs', device: 'tmpfs', o: 'size=10m,uid=1000'},
    {type: 'nfs', device: ':/export', o: 'addr=10.0.0.1,rw,nfsvers=4'},
    {type: 'none', device: '/srv/data', o: 'bind'},
    {type: 'ext4', device: '/dev/loop7'},
    {size: '1g'},
    {mountpoint: '/srv/data'},
    {},
  ])('%j is refused where the engine does so', async (options: Readonly<Record<string, string>>) => {
    const volumes = {data: {driver_opts: options}};
    const {project} = await load({
      '/stack/compose.yaml': JSON.stringify({services: {web: {image: 'x', volumes: ['data:/d']}}, volumes}),
    });
    const check = () => checkVolumeOptions('data', options);
    const paths = findLimits(project).map(({path}) => path);
    expect(paths).toEqual(
      Object.keys(options)
        .filter((name) => ['size', 'mountpoint'].includes(name))
        .map((name) => `volumes.data.driver_opts.${name}`),
    );
    if (paths.length === 0) expect(check).not.toThrow();
    else expect(check).toThrow();
  });
});
