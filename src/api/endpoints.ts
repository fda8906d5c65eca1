import {buildEndpoints} from './endpoints/build.ts';
import {containerEndpoints} from './endpoints/containers.ts';
import {execEndpoints} from './endpoints/execs.ts';
import {imageEndpoints} from './endpoints/images.ts';
import {networkEndpoints} from './endpoints/networks.ts';
import {registryEndpoints} from './endpoints/registry.ts';
import {syncEndpoints} from './endpoints/sync.ts';
import {systemEndpoints} from './endpoints/system.ts';
import {volumeEndpoints} from './endpoints/volumes.ts';

/** Every request of the Engine API that we know: the client calls them, the server answers them. */
export const endpoints = {
  ...containerEndpoints,
  ...execEndpoints,
  ...networkEndpoints,
  ...volumeEndpoints,
  ...imageEndpoints,
  ...registryEndpoints,
  ...systemEndpoints,
  ...syncEndpoints,
  ...buildEndpoints,
};
export type Endpoints = typeof endpoints;
