import {expect} from 'vitest';
import type {TestHost} from './host.ts';
import {ensureImages} from './images/make.mjs';

export type TestImage = 'busybox' | 'quick' | 'debian' | 'redis' | 'nginx' | 'postgres' | 'node';

/** Path of an image's archive, made where it is missing. */
export function imageArchive(name: TestImage): string {
  const path = ensureImages([name])[name];
  if (path === undefined) throw new Error(`image ${name} was not made`);
  return path;
}

/** Loads images into a test host's engine. */
export async function loadImages(host: TestHost, names: readonly TestImage[]): Promise<void> {
  for (const name of names) {
    const {code, stderr} = await host.tscompose(['load', '-q', '-i', imageArchive(name)]);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
  }
}
