import {expect, it} from 'vitest';
import {describeTargets} from './targets.ts';

describeTargets('processes of a container', (target) => {
  const command = ['sh', '-c', 'sleep 1001 & sleep 1002 & wait'];

  it('are listed in full unless arguments say otherwise', async () => {
    const container = await target.run({Cmd: command});
    const cells = async (ps_args?: string) => {
      const {Titles, Processes} = await container.top({ps_args});
      return {Titles, Processes: [...Processes].sort((a, b) => Number(a[1]) - Number(b[1]))};
    };
    // A child that has not come to its program yet bears the name of its parent.
    await expect
      .poll(async () => (await cells()).Processes.map((row) => [row[0], row[7]]))
      .toEqual([
        ['root', command.join(' ')],
        ['root', 'sleep 1001'],
        ['root', 'sleep 1002'],
      ]);
    const {Titles, Processes} = await cells();
    expect(Titles).toEqual(['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
    const {Pid} = (await container.inspect()).State;
    const [first, ...children] = Processes;
    expect(first?.[1]).toBe(String(Pid));
    for (const child of children) expect(child[2]).toBe(String(Pid));
    expect(first?.slice(3, 7)).toEqual([
      expect.stringMatching(/^\d+$/),
      expect.stringMatching(/^\d\d:\d\d$/),
      '?',
      expect.stringMatching(/^00:00:0\d$/),
    ]);
    expect((await cells('-ef')).Titles).toEqual(Titles);
  });

  it('are listed by their users', async () => {
    const container = await target.run({Cmd: ['sleep', '1000'], User: '54321'});
    const {Titles, Processes} = await container.top({ps_args: 'aux'});
    expect(Titles).toEqual('USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'.split(' '));
    expect(Processes).toEqual([
      [
        '54321',
        expect.stringMatching(/^\d+$/),
        expect.stringMatching(/^\d+\.\d$/),
        '0.0',
        expect.stringMatching(/^\d{3,}$/),
        expect.stringMatching(/^\d+$/),
        '?',
        expect.stringMatching(/^[SRD]s$/),
        expect.stringMatching(/^\d\d:\d\d$/),
        expect.stringMatching(/^0:0\d$/),
        'sleep 1000',
      ],
    ]);
  });

  it.each([
    ['-o pid,comm', ['PID', 'COMMAND'], [expect.any(String), 'sleep']],
    [
      '-eo pid,ppid,nlwp,args',
      ['PID', 'PPID', 'NLWP', 'COMMAND'],
      [expect.any(String), expect.any(String), '1', 'sleep 1000'],
    ],
    [
      '-o pid,user,stat,ni,tty,cmd',
      ['PID', 'USER', 'STAT', 'NI', 'TT', 'CMD'],
      [expect.any(String), 'root', 'Ss', '0', '?', 'sleep 1000'],
    ],
  ])('are listed with the columns of "%s"', async (ps_args, titles, row) => {
    const container = await target.run({Cmd: ['sleep', '1000']});
    await expect.poll(async () => await container.top({ps_args})).toEqual({Titles: titles, Processes: [row]});
  });

  it('are told only of a container that runs', async () => {
    const container = await target.create();
    await expect(container.top()).rejects.toMatchObject({kind: 'conflict', statusCode: 409});
    await expect(target.docker.getContainer(target.name('missing')).top()).rejects.toMatchObject({kind: 'notFound'});
  });

  it('are not listed in ways that are not known', async () => {
    const container = await target.run();
    await expect(container.top({ps_args: '--nonsense'})).rejects.toMatchObject({statusCode: expect.any(Number)});
  });
});
