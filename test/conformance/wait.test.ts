import {expect, it} from 'vitest';
import type {WaitCondition, WaitResult} from '../../src/api/types/container.ts';
import type {Container} from '../../src/client/container.ts';
import {describeTargets} from './targets.ts';

describeTargets('wait', (target) => {
  /** Ends with 5 when it is asked to. */
  const stoppable = {Cmd: ['sh', '-c', 'trap "exit 5" TERM; echo ready; sleep 1000 & wait']};

  /** A wait that has begun when the change is made. */
  async function during(
    container: Container,
    condition: WaitCondition,
    change: () => Promise<unknown>,
  ): Promise<WaitResult> {
    const events = container.wait({condition});
    // The engine is asked in the order of the requests, but nothing says when a wait has begun: it must not end before.
    expect(await Promise.race([events, container.inspect().then(() => 'waits')])).toBe('waits');
    await change();
    return await events;
  }

  it('until it does not run is over for one that does not', async () => {
    const container = await target.create(stoppable);
    expect(await container.wait()).toEqual({StatusCode: 0});
    expect(await container.wait({condition: 'not-running'})).toEqual({StatusCode: 0});
    await container.start();
    expect(await during(container, 'not-running', () => container.kill())).toEqual({StatusCode: 137});
    expect(await container.wait()).toEqual({StatusCode: 137});
  });

  it.each(['not-running', 'next-exit', 'removed'] as const)(
    '%s of a container that is removed while it runs',
    async (condition) => {
      const container = await target.run(stoppable);
      expect(await during(container, condition, () => container.remove({force: true}))).toEqual({StatusCode: 137});
    },
  );

  it('for the next exit is not over before there is one', async () => {
    const container = await target.create(stoppable);
    const ended = async () => {
      await container.start();
      await expect.poll(async () => (await container.top()).Processes.length).toBeGreaterThan(1);
      await container.stop();
    };
    expect(await during(container, 'next-exit', ended)).toEqual({StatusCode: 5});
    // Of one that has ended too: it is the one after that.
    expect(await during(container, 'next-exit', ended)).toEqual({StatusCode: 5});
  });

  it.each(['next-exit', 'removed'] as const)('%s of a container that is removed where it rests', async (condition) => {
    const created = await target.create(stoppable);
    expect(await during(created, condition, () => created.remove())).toEqual({StatusCode: 0});
    const exited = await target.run({Cmd: ['sh', '-c', 'exit 6']});
    await exited.wait();
    expect(await during(exited, condition, () => exited.remove())).toEqual({StatusCode: 6});
  });

  it.each(['not-running', 'next-exit', 'removed'] as const)(
    '%s of a container that removes itself',
    async (condition) => {
      const container = await target.run({
        Cmd: ['sh', '-c', 'trap "exit 5" USR1; while :; do sleep 0.05; done'],
        HostConfig: {AutoRemove: true},
      });
      const signaled = async () => {
        await expect.poll(async () => (await container.top()).Processes.length).toBeGreaterThan(1);
        await container.kill({signal: 'USR1'});
      };
      expect(await during(container, condition, signaled)).toEqual({StatusCode: 5});
    },
  );

  it.each(['not-running', 'next-exit'] as const)(
    '%s of a container that is started again each time',
    async (condition) => {
      const container = await target.run({
        Cmd: ['sh', '-c', 'sleep 0.2; exit 7'],
        HostConfig: {RestartPolicy: {Name: 'always'}},
      });
      expect(await container.wait({condition})).toEqual({StatusCode: 7});
      expect(await container.wait({condition})).toEqual({StatusCode: 7});
      await container.remove({force: true});
    },
  );

  it('tells of a start that failed', async () => {
    const container = await target.create({Cmd: ['/there/is/no/such/program']});
    await container.start().catch(() => {});
    expect(await container.wait()).toEqual({
      StatusCode: 127,
      Error: {Message: expect.stringContaining('no such file or directory')},
    });
  });

  it('is refused for what there is not', async () => {
    const container = await target.create();
    await expect(container.wait({condition: 'dead' as WaitCondition})).rejects.toMatchObject({
      kind: 'invalid',
      message: 'invalid condition: "dead"',
    });
    await expect(target.docker.getContainer(target.name('none')).wait()).rejects.toMatchObject({
      kind: 'notFound',
      message: `No such container: ${target.name('none')}`,
    });
  });
});
