import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Docker} from '../../src/client/docker.ts';
import {rootFileSystem} from '../conformance/image.ts';
import {makeTar} from '../support/archive.ts';

/** Images of the cases: a busybox with the program `/facts`, and what an image may say, as instructions of a Dockerfile. */
export const testImages = {
  plain: ['CMD ["sh"]'],
  bare: [],
  entry: ['ENTRYPOINT ["echo", "entry"]', 'CMD ["of", "image"]'],
  'entry-only': ['ENTRYPOINT ["echo", "entry"]'],
  shell: ['CMD echo "shell of $0"'],
  'shell-entry': ['ENTRYPOINT echo "entry of $0"', 'CMD ["unused"]'],
  environment: ['ENV A=image B=image PATH=/own:/bin', 'CMD ["env"]'],
  user: ['USER nobody', 'CMD ["id"]'],
  'user-numbers': ['USER 1234:5678', 'CMD ["id"]'],
  directory: ['WORKDIR /made/by/image', 'CMD ["pwd"]'],
  labels: ['LABEL from=image both=image', 'CMD ["true"]'],
  ports: ['EXPOSE 80 53/udp', 'CMD ["true"]'],
  volume: ['VOLUME /data', 'CMD ["true"]'],
  'stop-signal': [
    'STOPSIGNAL SIGUSR1',
    'CMD ["sh", "-c", "trap \'exit 9\' USR1; trap \'exit 8\' TERM; echo ready; sleep 1000 & wait"]',
  ],
  health: ['HEALTHCHECK --interval=1h --timeout=7s --retries=4 CMD ["true"]', 'CMD ["sleep", "1000"]'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type TestImageName = keyof typeof testImages;

export function isTestImage(name: string): name is TestImageName {
  return Object.hasOwn(testImages, name);
}

let archive: Promise<Uint8Array> | undefined;

/** The tar of the root file system, without its end after the first part. */
async function rootArchive(): Promise<Uint8Array> {
  const script = readFileSync(join(import.meta.dirname, '../e2e/parity/facts.sh'));
  const first = makeTar([{name: 'facts', mode: 0o755, data: script}]);
  return Buffer.concat([first.subarray(0, -1024), await rootFileSystem()]);
}

export async function importImage(docker: Docker, name: TestImageName, repository: string): Promise<void> {
  archive ??= rootArchive();
  const bytes = await archive;
  const source = (async function* () {
    yield bytes;
  })();
  await docker.followProgress(
    await docker.importImage(source, {repo: repository, tag: name, changes: testImages[name]}),
  );
}
