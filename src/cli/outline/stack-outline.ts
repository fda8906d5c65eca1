import type {Diagnostic} from '../../base/diagnostic.ts';
import type {LoadedProject} from '../../model/load.ts';

/**
 * What commands on containers that exist, and completion, need to know of a stack: names, no values. It may be kept on
 * disk: nothing in it is a secret.
 */
export interface StackOutline {
  readonly name: string;
  /** Also those that are switched off. */
  readonly services: readonly OutlinedService[];
}

export interface OutlinedService {
  readonly name: string;
  readonly image?: string;
  readonly profiles?: readonly string[];
}

export interface LoadedOutline {
  readonly outline: StackOutline;
  readonly warnings: readonly Diagnostic[];
}

export function outlineOf({project, warnings}: LoadedProject): LoadedOutline {
  const services = {...project.disabledServices, ...project.services};
  return {
    outline: {
      name: project.name,
      services: Object.entries(services).map(([name, {image, profiles}]) => ({
        name,
        ...(image !== undefined && {image}),
        ...(profiles !== undefined && profiles.length > 0 && {profiles}),
      })),
    },
    warnings,
  };
}
