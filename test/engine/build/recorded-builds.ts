import {readFileSync} from 'node:fs';
import {expect} from 'vitest';
import type {BuildEvent} from '../../../src/api/types/build.ts';
import {type ErrorKind, TscomposeError} from '../../../src/base/errors.ts';

/** What BuildKit made of a case. */
export interface Answer {
  readonly name: string;
  readonly error?: string;
  /** First and last line of the Dockerfile that an error points to. */
  readonly lines?: readonly [number, number];
  readonly image?: object;
  readonly files?: Readonly<Record<string, string>>;
  /** Files of the image below that are no more; absent where nothing of it is there. */
  readonly gone?: readonly string[];
  readonly verdicts?: readonly Readonly<Record<string, string>>[];
}

export const recorded = JSON.parse(readFileSync(new URL('../../recorded/builds.json', import.meta.url), 'utf8')) as {
  readonly docker: string;
  readonly answers: readonly Answer[];
};

const answers = new Map(recorded.answers.map((answer) => [answer.name, answer]));

export function answerTo(name: string): Answer {
  return answers.get(name) ?? {name};
}

/** Steps by their titles: whether they came from the cache. */
export function verdictsOf(events: readonly BuildEvent[]): Readonly<Record<string, string>> {
  const words = {cached: 'CACHED', done: 'DONE', failed: 'ERROR', canceled: 'CANCELED', start: ''};
  const titles = new Map(
    events.flatMap((event) => (event.kind === 'step' && event.status === 'start' ? [[event.step, event.title]] : [])),
  );
  const verdicts = events.flatMap((event) =>
    event.kind === 'step' && event.status !== 'start' ? [[titles.get(event.step) ?? '', words[event.status]]] : [],
  );
  return byTitle(Object.fromEntries(verdicts.filter(([title]) => !/^\[[^\]]*\] FROM |^FROM /.test(title ?? ''))));
}

/** BuildKit numbers a single stage where contexts are mounted. */
export function byTitle(verdicts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(verdicts).map(([title, word]) => [title.replace('[stage-0 ', '[').split('\n')[0], word]),
  );
}

/** Members that say nothing are left out by one and not by the other. */
export function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== '' && !(Array.isArray(member) && member.length === 0))
      .map(([key, member]) => [key, withoutNothing(member)]),
  );
}

/** What BuildKit says of failures, and their kind here. */
const kinds: readonly (readonly [RegExp, ErrorKind])[] = [
  // A program that is missing is no failure of the step to us, and has the status 1 there.
  [/did not complete successfully: exit code: (?!1$)/, 'dependencyFailed'],
];

/** It failed with a kind that fits, at a place that BuildKit points to as well. */
export function expectFailure(error: unknown, {error: text = '', lines}: Answer): void {
  expect(error, `BuildKit says: ${text}`).toBeInstanceOf(TscomposeError);
  const {kind, diagnostics} = error as TscomposeError;
  const [first] = diagnostics;
  const place = {line: expect.any(Number), column: expect.any(Number), excerpt: expect.any(String)};
  expect(first, `${(error as TscomposeError).message}; BuildKit says: ${text}`).toMatchObject({
    file: 'Dockerfile',
    ...place,
  });
  const [, expected] = kinds.find(([pattern]) => pattern.test(text)) ?? [];
  if (expected !== undefined) expect(kind).toBe(expected);
  else expect(kind).not.toBe('internal');
  const {line = 0} = first ?? {};
  if (lines !== undefined)
    expect({line, of: lines, within: line >= lines[0] && line <= lines[1]}).toMatchObject({within: true});
}
