import type {ServiceRule} from './rules.ts';

/** What a container still is to get. */
export interface Debt {
  readonly paths: Set<string>;
  readonly rules: Set<ServiceRule>;
  /** Everything is compared. */
  whole: boolean;
  /** By a save: then it is restarted even where it does not run. */
  saved: boolean;
}

type More = Pick<Debt, 'whole' | 'saved'> & {
  readonly paths: Iterable<string>;
  readonly rules: Iterable<ServiceRule>;
};

/** What the containers of a service still are to get, by the container's id. */
export interface Debts {
  /** In addition to what is owed already. */
  owe(container: string, more: Partial<More>): void;
  forgive(container: string): void;
  /** Everything that is owed, to be given now. */
  take(): ReadonlyMap<string, Debt>;
  isEmpty(): boolean;
  /** How many paths are owed to one container or more. */
  paths(): number;
}

export function createDebts(): Debts {
  let debts = new Map<string, Debt>();
  return {
    owe(container, {paths = [], rules = [], whole = false, saved = false}) {
      const debt = debts.get(container) ?? {paths: new Set(), rules: new Set(), whole: false, saved: false};
      debts.set(container, debt);
      for (const path of paths) debt.paths.add(path);
      for (const rule of rules) debt.rules.add(rule);
      debt.whole ||= whole;
      debt.saved ||= saved;
    },
    forgive: (container) => void debts.delete(container),
    take() {
      const all = debts;
      debts = new Map();
      return all;
    },
    isEmpty: () => debts.size === 0,
    paths: () => new Set([...debts.values()].flatMap(({paths}) => [...paths])).size,
  };
}
