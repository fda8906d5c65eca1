export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProbedEngine {
  compose(words: readonly string[]): Promise<Outcome>;
  inspect(container: string): Promise<unknown>;
}

/** Lines and numbers by name, in any depth. */
export type Answer = {
  readonly [name: string]: Answer | readonly string[] | string | number | null | readonly unknown[];
};

export interface ProbePlan {
  readonly services: readonly string[];
  /** Images to make from the test image, by name: changes as `--change` takes them. */
  readonly images: Readonly<Record<string, readonly string[]>>;
}

export function readPlan(file: string): ProbePlan;
export function runStack(file: string, engine: ProbedEngine): Promise<Answer>;
/** The sections of what `facts.sh` prints, without what differs at every run. */
export function toFacts(text: string): Record<string, string[]>;
