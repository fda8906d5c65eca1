import type {Container} from '../../../src/client/container.ts';
import type {Step} from '../case.ts';
import {isTestImage} from '../images.ts';
import {refusalOf} from '../run-case.ts';
import type {Body} from '../steps.ts';

/** Made and started, in one step: engines look at some things later than others, and what is left of it is their own. */
export function refused(body: Body, options: {readonly platform?: string} = {}): Step {
  return {
    label: 'refused',
    async run(world) {
      const {Image = 'plain', HostConfig, ...rest} = world.fill(body);
      const {docker} = world.bench;
      let container: Container | undefined;
      try {
        container = await docker.createContainer({
          Image: isTestImage(Image) ? await world.bench.image(Image) : Image,
          ...rest,
          ...options,
          Labels: {'io.tscompose.test': world.token},
          HostConfig: {NetworkMode: 'none', ...HostConfig},
        });
        await container.start();
        return ['it runs'];
      } catch (error) {
        return {...refusalOf(error), when: [container === undefined ? 'when it is made' : 'when it is started']};
      } finally {
        await container?.remove({force: true});
      }
    },
  };
}
