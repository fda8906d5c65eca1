import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {openTerminal} from '../support/terminal.ts';
import {loadImages} from '../support/test-images.ts';

/** Two stages that run at once until a file is there, which the test puts into the mounted cache. */
const dockerfile = `FROM busybox AS left
WORKDIR /left
RUN --mount=type=cache,target=/gate for i in 1 2 3 4 5 6 7 8; do echo "left says $i"; done; until [ -e /gate/open ]; do sleep 0.1; done
FROM busybox AS right
RUN --mount=type=cache,target=/gate echo "right says a thing that is much longer than the terminal is wide, so that it has to be cut"; until [ -e /gate/open ]; do sleep 0.1; done
FROM busybox
COPY --from=left /left /left
COPY --from=right /bin/busybox /b
`;
const opening = 'FROM busybox\nRUN --mount=type=cache,target=/gate touch /gate/open\n';
const closing = 'FROM busybox\nRUN --mount=type=cache,target=/gate rm -f /gate/open\n';

describe('a build on a terminal', () => {
  let host: TestHost;
  const gate = async (text: string) => {
    const words = ['engine', 'build', '-q', '--no-cache', '-f', '-', '.'];
    const {code, stderr} = await host.tscompose(words, {input: text});
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
  };

  beforeAll(async () => {
    host = await makeHost();
    await loadImages(host, ['busybox']);
    writeFileSync(join(host.directory, 'Dockerfile'), dockerfile);
    mkdirSync(join(host.directory, 'bad'));
    writeFileSync(join(host.directory, 'bad', 'Dockerfile'), 'FROM busybox\nRUN echo before the end; false\n');
  });

  afterAll(async () => {
    const left = host.leftovers();
    await host[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });

  test('shows what runs, fits a terminal that changes its size, and leaves one picture of all', async () => {
    await gate(closing);
    await using terminal = openTerminal(host, {columns: 60, rows: 16});
    terminal.type('tscompose engine build -t live:1 .\r');
    await terminal.shows('left says 8');
    await terminal.shows(/right says a thing that is much longer than the term.*…/);
    // A look at it may come amid a picture.
    await eventually(() => {
      const screen = terminal.screen();
      expect(screen.match(/build live:1 {2}/g)).toHaveLength(1);
      expect(screen).toMatch(/✔ \[left 2\/3\] WORKDIR \/left +\d+\.\ds/);
    });
    terminal.resize(40, 12);
    await terminal.shows(/ \[left 3\/3\] RUN .*… +\d+\.\ds$/m);
    terminal.resize(100, 20);
    await gate(opening);
    await terminal.shows(/naming to live:1[\s\S]*\nbuilt sha256:.*\n\$$/);
    const end = terminal.screen();
    expect(end.match(/\[left 3\/3\] RUN/g)).toHaveLength(1);
    expect(end).not.toContain('says 8');
    terminal.type('clear; tscompose engine build -t live:1 .\r');
    await terminal.shows(/= \d steps +cached[\s\S]*built sha256:/);
  });

  test('ends at Ctrl-C, with the steps that it ended', async () => {
    await gate(closing);
    await using terminal = openTerminal(host, {columns: 80, rows: 20});
    terminal.type('tscompose engine build --no-cache .; echo code $?\r');
    await terminal.shows('left says 8');
    terminal.type('\x03');
    await terminal.shows('code 130');
    expect(terminal.screen()).toMatch(/- \[left 3\/3\] RUN .* ended$/m);
    expect(terminal.screen()).toContain('canceled: interrupted: the image was not built');
  });

  test('a step that fails is shown with its place and what it said last', async () => {
    await using terminal = openTerminal(host, {columns: 120, rows: 20});
    terminal.type('tscompose engine build bad; echo code $?\r');
    await terminal.shows(/^code 1\n\$$/m);
    expect(terminal.screen().split('\n').slice(2)).toEqual([
      expect.stringMatching(/^ = \[1\/2\] FROM busybox +cached$/),
      expect.stringMatching(/^ ✘ \[2\/2\] RUN echo before the end; false +\d+\.\ds$/),
      'error[step-failed]: process "/bin/sh -c echo before the end; false" did not complete successfully: exit code: 1',
      ' --> bad/Dockerfile:2:1',
      '  |',
      '2 | RUN echo before the end; false',
      '  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^',
      '  = for a shell in what it left: add --debug to the command',
      '  = it said last:',
      '      before the end',
      'code 1',
      '$',
    ]);
  });
});
