import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;
let context: string;

beforeAll(async () => {
  bed = await openTestEngine({encode: true});
  context = mkdtempSync(join(tmpdir(), 'missing-'));
  mkdirSync(join(context, 'source'));
  for (const name of ['package.json', 'secret.env', 'source/main.go']) writeFileSync(join(context, name), '');
});

afterAll(async () => {
  rmSync(context, {recursive: true, force: true});
  await bed?.close();
});

test.each([
  ['COPY packge.json /', 'did you mean "package.json"?'],
  ['COPY source/mian.go /', 'did you mean "source/main.go"?'],
  ['COPY secret.env /', 'the ignore file of the context (.dockerignore) leaves it out'],
  ['COPY other/thing /', 'correct the path: it is looked up beneath the context'],
  ['COPY --from=below /packag.json /', 'did you mean "package.json"?'],
  ['COPY --from=below /thing /', 'correct the path: it is looked up in that stage or image'],
])('%s: %s', async (line, hint) => {
  const text = `FROM scratch AS below\nCOPY package.json /\nFROM scratch\n${line}\n`;
  const built = eventsOf(bed.engine, plainBody(text, {context, ignore: 'secret.*\n'}));
  await expect(built).rejects.toMatchObject({kind: 'notFound', hint});
});
