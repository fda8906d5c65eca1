import type {ContainerConfig, HostConfig} from '../../api/types/container.ts';
import type {Json} from '../../base/canonical-json.ts';
import type {Problems} from '../problems.ts';
import type {Tree} from '../tree.ts';
import type {Project, Service} from '../types.ts';
import type {Reader} from './readers.ts';

/** How two files' values of one place become one. Lists without a rule are put together, equal items once. */
export interface MergeRule {
  /** The later value stands alone. */
  readonly replace?: boolean;
  /** Lists: every item stays, also one that is there already. */
  readonly append?: boolean;
  /** Lists: what makes an item the same as an earlier one, whose place it then takes. */
  readonly unique?: (item: Tree) => string;
  /** Lists with `unique`: a later item is laid over the one whose place it takes. */
  readonly layered?: boolean;
  /** Mappings: a null in the later file is a value and takes the place of the earlier one. */
  readonly nullIsValue?: boolean;
  /** Mappings: they are merged only if this member is the same in both; else the later one stands alone. */
  readonly onlySame?: string;
  readonly members?: Readonly<Record<string, MergeRule>>;
  /** For every member or item that has no rule of its own. */
  readonly each?: MergeRule;
}

export interface FilePlace {
  /** What is being expanded, for messages: `services.web.ports`. */
  readonly where: string;
  readonly problems: Problems;
  /** Makes a path absolute: relative ones begin where the file's project does, `~` is the home directory. */
  readonly absolute: (path: string) => string;
}

/** A container's create body while attributes write into it. */
export interface Draft {
  readonly config: {-readonly [K in keyof ContainerConfig]: ContainerConfig[K]};
  readonly host: {-readonly [K in keyof HostConfig]: HostConfig[K]};
}

export interface LowerContext {
  readonly project: Project;
  readonly service: Service;
  readonly serviceName: string;
  /** True where the engine places files with owner and mode itself. */
  readonly files: boolean;
  /** The name of the container that stands for a service whose namespaces or mounts are shared. */
  readonly containerOf: (service: string) => string;
}

/** What a change of an attribute needs: nothing but a call, a restart, a new container; `none`: it concerns no container. */
export type Change = 'live' | 'restart' | 'recreate' | 'none';

/** Something a stack file may say that is not carried out: refused before anything is changed, or told and left alone. */
export interface Limit<T> {
  /**
   * Who cannot: `builtin` the built-in engine, while a Docker Engine can; `tscompose` this program, with any engine;
   * `swarm`: it has a meaning in a swarm only, so it is told and changes nothing, as in Compose.
   */
  readonly by: 'builtin' | 'tscompose' | 'swarm';
  /** What of the attribute, for documentation: `"host"`, `of type image`; absent or `any`: all of it. */
  readonly of?: string;
  /** Why, as the end of a sentence: `the built-in engine has no user namespaces`. */
  readonly reason: string;
  readonly hint?: string;
  /** It is the value that is refused, so the message names it. */
  readonly ofValue?: true;
  /** In place of `is not supported yet`. */
  readonly verdict?: string;
  /** Where a value asks for it, as paths below the attribute (`[0].type`, `resources.limits`), empty for all of it. */
  readonly where: (value: T, service: Service) => readonly string[];
}

/** Everything about one attribute of a service. */
export interface Attribute<T> {
  /** Short form → long form, before files are merged. Leaves alone what it cannot read: validation names that. */
  readonly expand?: (node: Tree, place: FilePlace) => Tree;
  readonly merge?: MergeRule;
  /** Long form → canonical value. */
  readonly read: Reader<T>;
  /** The value as it is kept with the container to be compared later: no defaults, nothing that concerns no container. */
  readonly spec?: (value: T, context: LowerContext) => Json | undefined;
  readonly lower?: (value: T, draft: Draft, context: LowerContext) => void;
  /** As `config` prints it, where that is not the value itself. */
  readonly render?: (value: T) => Json;
  readonly change: Change;
  readonly limits?: readonly Limit<T>[];
}
