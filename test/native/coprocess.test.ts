import {execFileSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {createHelper, type Helper} from '../../src/engine/helper/coprocess.ts';

let directory: string;
let helper: Helper;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-native-'));
  helper = createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
});

afterEach(async () => {
  await helper.close();
  execFileSync('chattr', ['-R', '-i', directory], {stdio: 'ignore'});
  rmSync(directory, {recursive: true, force: true});
});

test('says who it is', async () => {
  const reply = await helper.request({kind: 'hello'});
  expect(reply).toMatchObject({ok: true, version: 1, build: Buffer.from(await helper.build()).toString('hex')});
  expect(reply.pid).toBeGreaterThan(0);
});

describe('removeTree', () => {
  test('removes a tree with links, immutable and unreadable parts, and nothing that links lead to', async () => {
    const outside = join(directory, 'outside');
    writeFileSync(outside, 'stays');
    mkdirSync(join(directory, 'tree/locked'), {recursive: true});
    symlinkSync(outside, join(directory, 'tree/link'));
    symlinkSync(directory, join(directory, 'tree/up'));
    writeFileSync(join(directory, 'tree/locked/file'), '');
    chmodSync(join(directory, 'tree/locked'), 0o000);
    execFileSync('chattr', ['+i', join(directory, 'tree/locked/file'), join(directory, 'tree/locked')]);
    const reply = await helper.request({kind: 'removeTree', root: directory, path: 'tree'});
    expect(reply.entries).toBe(5);
    expect(existsSync(join(directory, 'tree'))).toBe(false);
    expect(existsSync(outside)).toBe(true);
  });
});
