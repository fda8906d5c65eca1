import type {Docker} from '../../src/client/docker.ts';
import {inspectLines, listLines} from './describe.ts';
import type {Lines} from './lines.ts';
import {makePortable} from './portable.ts';

/** A container that asks for nothing but its image and no network, which was never started. */
export async function loadBaseline(place: {
  readonly docker: Docker;
  readonly rootDirectory: string;
  readonly image: string;
}): Promise<{readonly inspect: Lines; readonly list: Lines}> {
  const {docker, image, rootDirectory} = place;
  const token = image.slice('tscompose-test/'.length).replace(':', '-');
  const name = `${token}-it`;
  const container = await docker.createContainer({
    Image: image,
    name,
    Labels: {'io.tscompose.test': token},
    HostConfig: {NetworkMode: 'none'},
  });
  const portable = makePortable({token, rootDirectory, directory: '/no-such-directory', ids: [['it', container.id]]});
  const [summary] = await docker.listContainers({all: true, filters: {id: [container.id]}});
  if (summary === undefined) throw new Error('a container that was created is not listed');
  const inspect = inspectLines(await container.inspect()).map(portable);
  const list = listLines(summary).map(portable);
  await container.remove();
  return {inspect, list};
}
