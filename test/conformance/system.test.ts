import {expect, it} from 'vitest';
import {describeTargets} from './targets.ts';

describeTargets('the engine', (target) => {
  it('answers', async () => {
    expect(await target.docker.ping()).toBe('OK');
  });

  it('says what it is', async () => {
    const version = await target.docker.version();
    expect(version).toMatchObject({
      Os: 'linux',
      ApiVersion: expect.stringMatching(/^1\.\d\d$/),
      MinAPIVersion: expect.stringMatching(/^1\.\d\d$/),
    });
    expect(version.Version).not.toBe('');
    expect(version.KernelVersion).toMatch(/^\d+\./);
  });
});
