import {describe, expect, it} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import {explain} from '../../src/model/explain.ts';
import {loadProject} from '../../src/model/load.ts';
import {yamlOf} from '../../src/model/render.ts';
import type {Project} from '../../src/model/types.ts';
import {filesOf, requestOf} from './config-answer.ts';
import {readConfigCases} from './config-cases.mjs';
import {load, memoryFiles} from './memory-files.ts';

const at = ({provenance}: Project, path: string): string | undefined => {
  const position = provenance.at(path);
  return position === undefined ? undefined : `${position.file}:${position.line}:${position.column}`;
};

const base = `services:
  web:
    image: nginx
    ports:
      - "8000-8001:80-81"
      - target: 90
        published: 9000
    environment:
      A: "1"
      B: "2"
    labels:
      com.example.a: "1"
    env_file: one.env
  db:
    image: postgres
volumes:
  data:
    name: x
`;

describe('provenance', () => {
  it('knows the place of every value, also below a short form', async () => {
    const {project} = await load({'/stack/compose.yaml': base, '/stack/one.env': 'X=1\nY=2\n'});
    expect(at(project, 'services.web.image')).toBe('/stack/compose.yaml:3:12');
    expect(at(project, 'services.web.ports')).toBe('/stack/compose.yaml:4:5');
    expect(at(project, 'services.web.ports[0].target')).toBe('/stack/compose.yaml:5:9');
    expect(at(project, 'services.web.ports[1].published')).toBe('/stack/compose.yaml:5:9');
    expect(at(project, 'services.web.ports[2].published')).toBe('/stack/compose.yaml:7:20');
    expect(at(project, 'services.web.labels.com.example.a')).toBe('/stack/compose.yaml:12:22');
    expect(at(project, 'volumes.data')).toBe('/stack/compose.yaml:17:3');
  });

  it('knows the line of an environment file', async () => {
    const {project} = await load({'/stack/compose.yaml': base, '/stack/one.env': 'X=1\nY=2\n'});
    expect(at(project, 'services.web.environment.Y')).toBe('/stack/one.env:2:1');
    expect(at(project, 'services.web.environment.A')).toBe('/stack/compose.yaml:9:10');
  });

  it('follows merging, anchors and merge keys', async () => {
    const {project} = await load(
      {
        '/stack/compose.yaml': base,
        '/stack/one.env': '',
        '/stack/over.yaml': `x-env: &env
  C: "3"
services:
  web:
    environment:
      <<: *env
      B: "20"
    ports: ["8001:81"]
`,
      },
      {files: ['compose.yaml', 'over.yaml']},
    );
    expect(at(project, 'services.web.environment.A')).toBe('/stack/compose.yaml:9:10');
    expect(at(project, 'services.web.environment.B')).toBe('/stack/over.yaml:7:10');
    expect(at(project, 'services.web.environment.C')).toBe('/stack/over.yaml:2:6');
    expect(at(project, 'services.web.ports[1].target')).toBe('/stack/over.yaml:8:13');
    expect(at(project, 'services.web.ports[0].target')).toBe('/stack/compose.yaml:5:9');
  });

  it('answers with the nearest place above what has none', async () => {
    const {project} = await load({'/stack/compose.yaml': base, '/stack/one.env': ''});
    expect(at(project, 'services.db.networks.default')).toBe('/stack/compose.yaml:14:3');
    expect(at(project, 'services.db.environment.NEW')).toBe('/stack/compose.yaml:14:3');
    expect(at(project, 'nothing.at.all')).toBeUndefined();
    expect(at(project, '')).toBeUndefined();
  });
});

/** What no file says: names made of the project's, and what an attribute means where nothing else is stated. */
const defaults: readonly RegExp[] = [
  /^(?:name|services)$/,
  /^(?:networks|volumes|configs|secrets)\.[^.]+\.name$/,
  /^services\.[^.]+\.networks\.default$/,
  /\.build\.dockerfile$/,
  /\.ports\[\d+\]\.(?:mode|protocol)$/,
  /\.secrets\[\d+\]\.target$/,
  /\.devices\[\d+\]\.(?:target|count)$/,
  /\.depends_on\.[^.]+\.(?:condition|required|restart)$/,
  /\.deploy\.replicas$/,
];

describe('config --explain', () => {
  it('has a place in a file for every value of all stacks that load, or it is a default', async () => {
    let placed = 0;
    const unplaced: string[] = [];
    for (const stack of readConfigCases()) {
      const input = stack.input === undefined ? '' : stack.files[stack.input];
      const loaded = await loadProject(requestOf(stack), memoryFiles(filesOf(stack), input)).catch((error: unknown) => {
        if (!(error instanceof TscomposeError)) throw error;
      });
      if (loaded === undefined) continue;
      for (const {path, place} of explain('', yamlOf(loaded.project), loaded.tree)) {
        if (place === undefined) unplaced.push(path);
        else {
          placed += 1;
          const known = place.file === '-' || place.file in filesOf(stack);
          expect([known, place.line > 0, place.column > 0], path).toEqual([true, true, true]);
        }
      }
    }
    expect(placed).toBeGreaterThan(3000);
    expect(unplaced.filter((path) => !defaults.some((pattern) => pattern.test(path)))).toEqual([]);
  });
});
