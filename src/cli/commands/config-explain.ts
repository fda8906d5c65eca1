import picocolors from 'picocolors';
import type {Json} from '../../base/canonical-json.ts';
import {TscomposeError} from '../../base/errors.ts';
import {defused} from '../../base/printable.ts';
import {didYouMean} from '../../base/suggest.ts';
import {type ExplainedStep, type Explanation, explain, type ShownPosition, valueAt} from '../../model/explain.ts';
import type {LoadedProject} from '../../model/load.ts';
import {yamlOf} from '../../model/render.ts';
import type {CliContext} from '../context.ts';
import {jsonText} from '../json-text.ts';

export interface ExplanationRequest {
  readonly path: string;
  readonly json: boolean;
  readonly context: CliContext;
}

/** Where each value at or below a path comes from, a line a value and a line for each thing that happened to it. */
export function explanationText({project, tree}: LoadedProject, {path, json, context}: ExplanationRequest): string {
  const whole = yamlOf(project);
  const value = valueAt(whole, path);
  if (value === undefined) throw nothingThere(path, whole);
  const found = explain(path, value, tree);
  if (json) return `${jsonText(found, 2)}\n`;
  const color = picocolors.createColors(context.color(context.stdout));
  const width = Math.min(60, Math.max(...found.map((entry) => head(entry).length)));
  return found
    .map((entry) => {
      const name =
        color.bold(defused(entry.path)) +
        head(entry)
          .slice(entry.path.length)
          .padEnd(width - entry.path.length);
      const steps = entry.steps.map((step) => `    ${color.dim(stepText(step))}\n`).join('');
      return `${name}  ${color.cyan(entry.place === undefined ? 'default' : placeText(entry.place))}\n${steps}`;
    })
    .join('');
}

function head({path, value}: Explanation): string {
  const text = defused(typeof value === 'string' ? value.replaceAll('$$', '$') : jsonText(value));
  const [line = ''] = text.split('\n', 1);
  return `${defused(path)}: ${line.length > 60 ? `${line.slice(0, 59)}…` : line}${line === text ? '' : ' …'}`;
}

function placeText({shown, line, column}: ShownPosition): string {
  return `${shown}:${line}:${column}`;
}

const taken: Readonly<Record<string, string>> = {
  value: 'its value',
  default: 'it is not set, its default was taken',
  alternative: 'it is set, the alternative was taken',
  nothing: 'it is not set',
};

function stepText(step: ExplainedStep): string {
  switch (step.kind) {
    case 'variable': {
      const from = step.took === 'value' ? (step.place === undefined ? 'the environment' : placeText(step.place)) : '';
      return from === '' ? `variable ${step.name}: ${taken[step.took]}` : `variable ${step.name} from ${from}`;
    }
    case 'anchor':
      return `anchor *${step.name} at ${placeText(step.place)}`;
    case 'mergeKey':
      return `merge key << at ${placeText(step.place)}`;
    case 'extends':
      return `extends "${step.service}" at ${placeText(step.place)}`;
    case 'include':
      return `included at ${placeText(step.place)}`;
    case 'replaces':
      return `in place of ${step.written} at ${placeText(step.place)}`;
  }
}

/** The nearest part of the path that is there tells what could follow. */
function nothingThere(path: string, whole: Json): TscomposeError {
  for (let end = path.length; end > 0; end = Math.max(path.lastIndexOf('.', end - 1), path.lastIndexOf('[', end - 1))) {
    const above = end === path.length ? undefined : valueAt(whole, path.slice(0, end));
    if (above === undefined) continue;
    return new TscomposeError('notFound', `there is no value at ${path}`, {hint: following(above, path, end)});
  }
  return new TscomposeError('notFound', `there is no value at ${path}`, {hint: following(whole, path, -1)});
}

function following(above: Json, path: string, end: number): string | undefined {
  if (typeof above !== 'object' || above === null) return `${path.slice(0, end)} has no members`;
  if (Array.isArray(above)) return `${path.slice(0, end)} has ${above.length} items: write [0] for the first`;
  const names = Object.keys(above);
  const [wanted = ''] = path.slice(end + 1).split(/[.[]/, 1);
  return didYouMean(wanted, names) ?? `there is ${names.slice(0, 8).join(', ')}`;
}
