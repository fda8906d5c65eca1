import type {Cause} from './action.ts';
import {isTemporaryName} from './names.ts';
import type {ObservedContainer} from './observed.ts';

/** What is to become of one container of a service. */
export type ReplicaDecision =
  | {readonly kind: 'keep'; readonly container: ObservedContainer}
  | {readonly kind: 'create'; readonly replica: number; readonly why: Cause}
  | {readonly kind: 'recreate'; readonly container: ObservedContainer; readonly why: Cause}
  /** The container of an interrupted recreate is as wanted: it gets its name, and the one it replaces goes. */
  | {readonly kind: 'finish'; readonly container: ObservedContainer; readonly replaced?: ObservedContainer}
  | {readonly kind: 'remove'; readonly container: ObservedContainer; readonly why: Cause};

interface ReplicaInput {
  readonly containers: readonly ObservedContainer[];
  readonly count: number;
  /** Why a container must be replaced; undefined: it is as wanted. */
  readonly diverged: (container: ObservedContainer) => Cause | undefined;
  readonly nameOf: (replica: number) => string;
}

/** One decision for every container that exists or shall exist, by number. Surplus goes: diverged ones first, then high numbers. */
export function decideReplicas(input: ReplicaInput): readonly ReplicaDecision[] {
  const {slots, leftovers} = groupBySlot(input);
  // Kept from the front: those that are as wanted, lowest numbers first.
  slots.sort(
    (a, b) =>
      Number(a.diverged !== undefined) - Number(b.diverged !== undefined) ||
      compareContainers(a.container, b.container),
  );
  const decisions: ReplicaDecision[] = [...leftovers];
  slots.forEach((slot, index) => {
    if (index >= input.count) {
      decisions.push({kind: 'remove', container: slot.container, why: surplus(input.count)});
      if (slot.replaced !== undefined)
        decisions.push({kind: 'remove', container: slot.replaced, why: surplus(input.count)});
    } else if (slot.finish) {
      const {container, replaced} = slot;
      decisions.push({kind: 'finish', container, ...(replaced === undefined ? {} : {replaced})});
    } else if (slot.diverged !== undefined) {
      decisions.push({kind: 'recreate', container: slot.container, why: slot.diverged});
    } else {
      decisions.push({kind: 'keep', container: slot.container});
    }
  });
  const highest = Math.max(0, ...input.containers.map(({number}) => number));
  for (let missing = 1; missing <= input.count - slots.length; missing++) {
    decisions.push({kind: 'create', replica: highest + missing, why: {reason: 'no existing container'}});
  }
  return decisions.sort((a, b) => replicaOf(a) - replicaOf(b));
}

interface Slot {
  readonly container: ObservedContainer;
  readonly diverged: Cause | undefined;
  readonly finish: boolean;
  readonly replaced?: ObservedContainer;
}

/**
 * An interrupted recreate leaves a container under a temporary name, alone or beside the one it was to replace. It is
 * finished where it is as wanted, else it goes and the recreate begins anew.
 */
function groupBySlot(input: ReplicaInput): {slots: Slot[]; leftovers: ReplicaDecision[]} {
  const slots: Slot[] = [];
  const leftovers: ReplicaDecision[] = [];
  const sorted = [...input.containers].sort(compareContainers);
  const isTemporary = (container: ObservedContainer): boolean =>
    isTemporaryName(container.name, input.nameOf(container.number));
  const settled = sorted.filter((container) => !isTemporary(container));
  const taken = new Set<ObservedContainer>();
  for (const temporary of sorted.filter(isTemporary)) {
    const replaced = settled.find((container) => container.number === temporary.number && !taken.has(container));
    const diverged = input.diverged(temporary);
    if (replaced === undefined) {
      slots.push({container: temporary, diverged, finish: diverged === undefined});
    } else if (diverged === undefined && input.diverged(replaced) !== undefined) {
      taken.add(replaced);
      slots.push({container: temporary, diverged, finish: true, replaced});
    } else {
      leftovers.push({kind: 'remove', container: temporary, why: {reason: 'left over from an interrupted recreate'}});
    }
  }
  for (const container of settled) {
    if (!taken.has(container)) slots.push({container, diverged: input.diverged(container), finish: false});
  }
  return {slots, leftovers};
}

function surplus(count: number): Cause {
  return {reason: count === 0 ? 'scaled to 0' : `more than ${count} ${count === 1 ? 'replica' : 'replicas'}`};
}

function replicaOf(decision: ReplicaDecision): number {
  return decision.kind === 'create' ? decision.replica : decision.container.number;
}

/** By number; the id only makes the order the same for every order of observation. */
export function compareContainers(a: ObservedContainer, b: ObservedContainer): number {
  return a.number - b.number || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
