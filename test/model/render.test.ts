import {readdirSync} from 'node:fs';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {canonicalJson, type Json} from '../../src/base/canonical-json.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import {machineFiles} from '../../src/base/file-source.ts';
import {loadProject} from '../../src/model/load.ts';
import {renderProject} from '../../src/model/render.ts';
import {specOf} from '../../src/model/spec.ts';
import {yamlText} from '../../src/model/yaml-text.ts';
import {memoryFiles} from './memory-files.ts';

const corpus = new URL('./corpus', import.meta.url).pathname;

/** Compose's JSON leaves out extensions of services; a dependency on a service that takes no part is printed all the same. */
const notTheSame: ReadonlySet<string> = new Set(['extensions.yaml', 'depends-on.yaml']);

describe('what config prints', () => {
  const names = readdirSync(corpus).filter(
    (file) => file.endsWith('.yaml') && !file.startsWith('bad-') && !notTheSame.has(file),
  );

  it.each(names)('%s loads to the same project again', async (name) => {
    const request = {
      workingDirectory: corpus,
      environment: {
        HOME: '/home/someone',
        TAG: '1',
        MEM: '1m',
        CPUS: '1',
        PORT: '1',
        SCALE: '1',
        INIT: 'true',
        WHO: 'me',
        TOKEN: 't',
      },
    };
    const first = await loadProject({...request, files: [name]}, machineFiles).catch((error: unknown) => {
      if (error instanceof TscomposeError) return undefined;
      throw error;
    });
    if (first === undefined) return;
    for (const format of ['yaml', 'json'] as const) {
      const text = renderProject(first.project, format);
      const again = await loadProject({...request, files: ['/printed.yaml']}, memoryFiles({'/printed.yaml': text}));
      expect(renderProject(again.project, format)).toBe(renderProject(first.project, format));
      if (format === 'json') continue;
      for (const service of Object.keys(first.project.services)) {
        // Addresses of one host are printed in order.
        if (name === 'hosts-and-dns.yaml') continue;
        const withoutDigests = (spec: unknown): string => canonicalJson(spec).replaceAll(/"digest":"[^"]*",?/g, '');
        expect(withoutDigests(specOf(again.project, service))).toBe(withoutDigests(specOf(first.project, service)));
      }
    }
  });
});

describe('yamlText', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({
      unit: fc.constantFrom(' ', '\n', ':', '#', '-', 'a', '"', "'", '\\', '\t', '1', '.', 'e', '?', '|', '>'),
    }),
    fc.constantFrom(
      'yes',
      'null',
      '~',
      '1e3',
      '0x1',
      '1:30',
      '2020-01-01',
      '<<',
      '---',
      '=',
      '',
      ' ',
      '\n',
      '\n\n',
      ' \n',
    ),
  );
  const {value} = fc.letrec<{value: Json}>((tie) => ({
    value: fc.oneof(
      {maxDepth: 4},
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), {maxLength: 4}),
      fc.dictionary(
        text.filter((key) => key !== '__proto__' && !key.includes('\n')),
        tie('value'),
        {maxKeys: 4},
      ),
    ),
  }));

  it('reads back as the value', () => {
    fc.assert(
      fc.property(value, (json) => {
        expect(parse(yamlText({json}), {schema: 'core', version: '1.2', merge: false})).toEqual({json});
      }),
      {numRuns: 500},
    );
  });

  it('quotes texts that older readers take for something else', () => {
    expect(yamlText(['yes', 'n', '1:30', '2020-01-01', 'plain text', ''])).toBe(
      '- "yes"\n- "n"\n- "1:30"\n- "2020-01-01"\n- plain text\n- ""\n',
    );
  });

  it('writes texts of several lines as they are', () => {
    expect(yamlText({a: 'one\ntwo\n', b: 'one\n two', c: ' x\ny', d: 'end \nx'})).toBe(
      'a: |\n  one\n  two\nb: |-\n  one\n   two\nc: |2-\n   x\n  y\nd: "end \\nx"\n',
    );
  });
});
