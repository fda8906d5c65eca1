import type {Held} from './held/facts.ts';
import {withLimits} from './held/limits.ts';
import {ofNamespaces} from './held/namespaces.ts';
import {onNetworks} from './held/networks.ts';
import {ofProcess} from './held/process.ts';
import {ofProject} from './held/project.ts';
import {withRights} from './held/rights.ts';
import {ofStorage} from './held/storage.ts';

/** By attribute. */
export const held: Readonly<Record<string, Held>> = {
  ...ofNamespaces,
  ...ofProcess,
  ...onNetworks,
  ...ofStorage,
  ...withLimits,
  ...withRights,
  ...ofProject,
};
