import type {MadeStep} from '../solve.ts';
import type {Step, StepId} from '../steps.ts';

/** The steps that the layers of a result came from, lowest first: not those of the image that it begins with. */
export function stepsBelow(
  steps: readonly Step[],
  made: readonly MadeStep[],
  result: StepId | undefined,
): readonly MadeStep[] {
  const byId = new Map(made.map((step) => [step.id, step]));
  const chain: MadeStep[] = [];
  for (let id = result; id !== undefined; ) {
    const [step, found] = [steps[id], byId.get(id)];
    if (step === undefined || step.kind === 'image' || found === undefined) break;
    chain.unshift(found);
    id = step.parent;
  }
  return chain;
}

/** The key of the step that one is upon, where it is among those that are told. */
export function parentKey(told: readonly MadeStep[], {parent}: MadeStep): string | undefined {
  return told.find(({id}) => id === parent)?.key;
}
