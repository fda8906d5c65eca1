import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {renderDiagnostics} from '../../src/base/diagnostic.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import {machineFiles} from '../../src/base/file-source.ts';
import {loadProject} from '../../src/model/load.ts';
import {renderProject} from '../../src/model/render.ts';
import {differences} from './config-differences.ts';

const corpus = new URL('./corpus', import.meta.url).pathname;
const recordings = new URL('../recorded/config', import.meta.url).pathname;

interface Recording {
  readonly compose: string;
  readonly exitCode: number;
  readonly json?: unknown;
  readonly yaml?: string;
  readonly message?: string;
}

type Answer =
  | {readonly ok: true; readonly json: unknown; readonly yaml: string}
  | {readonly ok: false; readonly error: TscomposeError};

/** Arguments and environment stand in comments at the head of a case, as the script that records reads them too. */
function headerOf(name: string): {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  const text = readFileSync(join(corpus, `${name}.yaml`), 'utf8');
  const value = (key: string): readonly string[] =>
    new RegExp(`^# ${key}: (.*)$`, 'm').exec(text)?.[1]?.split(' ') ?? [];
  return {
    arguments: value('arguments'),
    environment: Object.fromEntries(
      value('environment').map((pair) => pair.split(/=(.*)/s).slice(0, 2) as [string, string]),
    ),
  };
}

function flag(args: readonly string[], name: string): readonly string[] {
  return args.filter((_, index) => args[index - 1] === name);
}

async function answer(name: string): Promise<Answer> {
  const header = headerOf(name);
  try {
    const {project} = await loadProject(
      {
        files: [`${name}.yaml`, ...flag(header.arguments, '-f')],
        environmentFiles: flag(header.arguments, '--env-file'),
        profiles: flag(header.arguments, '--profile'),
        workingDirectory: corpus,
        environment: {HOME: '/home/someone', ...header.environment},
      },
      machineFiles,
    );
    const portable = (text: string): string =>
      text.replaceAll(corpus, '{corpus}').replaceAll(dirname(corpus), '{parent}');
    return {
      ok: true,
      json: JSON.parse(portable(renderProject(project, 'json'))),
      yaml: portable(renderProject(project, 'yaml')),
    };
  } catch (error) {
    if (error instanceof TscomposeError) return {ok: false, error};
    throw error;
  }
}

const names = readdirSync(corpus)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length));

function recordingOf(name: string): Recording {
  return JSON.parse(readFileSync(join(recordings, `${name}.json`), 'utf8')) as Recording;
}

describe('config beside Compose', () => {
  it('has a recording for every case, and none too many', () => {
    expect(names.length).toBeGreaterThanOrEqual(100);
    expect(readdirSync(recordings).sort()).toEqual(names.map((name) => `${name}.json`).sort());
    for (const name of Object.keys(differences)) expect(existsSync(join(corpus, `${name}.yaml`))).toBe(true);
  });

  for (const name of names.filter((candidate) => !(candidate in differences))) {
    it(name, async () => {
      const recorded = recordingOf(name);
      const ours = await answer(name);
      if (recorded.exitCode !== 0) {
        expect(ours.ok, `Compose refuses it: ${recorded.message}`).toBe(false);
        if (!ours.ok) {
          expect(ours.error.exitCode).toBe(65);
          expect(ours.error.diagnostics.length > 0 || ours.error.message !== '').toBe(true);
        }
        return;
      }
      if (!ours.ok)
        throw new Error(`Compose accepts it: ${ours.error.message}\n${renderDiagnostics(ours.error.diagnostics)}`);
      expect(ours.json).toEqual(recorded.json);
      expect(ours.yaml.trimEnd()).toBe(recorded.yaml?.trimEnd());
    });
  }

  for (const [name, {why, ours: expected}] of Object.entries(differences)) {
    it(`${name} differs: ${why}`, async () => {
      const recorded = recordingOf(name);
      const ours = await answer(name);
      if (expected === 'refuses') {
        expect(recorded.exitCode).toBe(0);
        expect(ours.ok).toBe(false);
      } else if (expected === 'accepts') {
        expect(recorded.exitCode).not.toBe(0);
        expect(ours.ok).toBe(true);
      } else if (expected === 'json') {
        expect(ours.ok && ours.yaml.trimEnd()).toBe(recorded.yaml?.trimEnd());
        expect(ours.ok && ours.json).not.toEqual(recorded.json);
      } else {
        expect(ours.ok && recorded.exitCode === 0).toBe(true);
        if (ours.ok) {
          expect(ours.yaml).not.toBe(recorded.yaml);
          for (const [theirs] of expected) expect(recorded.yaml).toContain(theirs);
          for (const [, mine] of expected) expect(ours.yaml).toContain(mine);
        }
      }
    });
  }
});
