import type {Container} from '../../src/client/container.ts';
import type {Bench} from './bench.ts';

/** Facts by name, each of lines. */
export type Seen = Readonly<Record<string, readonly string[]>>;

/** One request, or a few that belong together. What it answers is compared; so is what it throws. */
export interface Step {
  readonly label: string;
  run(world: World): Promise<readonly string[] | Seen>;
}

/** Steps in their order. `@name` in any text is a name of this run alone, `%dir` a directory on the machine. */
export type Cases = Readonly<Record<string, readonly (Step | readonly Step[])[]>>;

/** Where a case runs: what it has made so far, by the names that it gave. */
export interface World {
  readonly bench: Bench;
  readonly token: string;
  readonly directory: string;
  readonly label: string;
  readonly containers: Map<string, Container>;
  /** Names of images that the case has made. */
  readonly images: Set<string>;
  /** Ids of other things whose events belong to the case. */
  readonly others: Set<string>;
  /** With the names of this run. */
  fill<T>(value: T): T;
  /** Without them. */
  portable(text: string): string;
}

/** A step on something that an earlier step failed to make. */
export class NotMade extends Error {}

export function containerOf(world: World, name: string): Container {
  const container = world.containers.get(name);
  if (container === undefined) throw new NotMade(name);
  return container;
}
