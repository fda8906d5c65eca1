import {portTargets} from './ports.ts';
import {isUp} from './status.ts';
import type {Key, KeyResult, ServiceState, Target, UiEffect, UiState} from './types.ts';

/** Keys that do something to the selected service, or ask something of it. Undefined: the key is none of them. */
export function actOnKey(state: UiState, key: Key): KeyResult | undefined {
  if (key.name === 'p') {
    const effect: UiEffect = {kind: 'refreshPlan', command: `${state.command} plan`};
    return {state: {...state, overlay: {kind: 'plan', top: 0}}, effects: [effect]};
  }
  if (key.name === 'y') return copied(state);
  const act = actions[key.name];
  if (act === undefined) return undefined;
  const service = state.services.find(({name}) => name === state.selection?.service);
  return service === undefined ? told(state, 'there is no service to do that with') : act(state, service);
}

const actions: Readonly<Record<string, (state: UiState, service: ServiceState) => KeyResult>> = {
  r: (state, service) => {
    if (service.replicas.length === 0)
      return told(state, `${service.name} has no container: p shows what would be created`);
    const effect = commandOn('restart', state, service);
    // On the line of one replica it is not plain that all are meant.
    return state.selection?.replica !== undefined && service.replicas.length > 1
      ? asked(state, service, effect)
      : {state, effects: [effect]};
  },
  s: (state, service) => {
    if (service.replicas.length === 0)
      return told(state, `${service.name} has no container: p shows what would be created`);
    if (service.replicas.some((replica) => isUp(replica) || replica.phase === 'restarting'))
      return asked(state, service, commandOn('stop', state, service));
    return {state, effects: [commandOn('start', state, service)]};
  },
  e: (state, service) => {
    const {replica: number} = state.selection ?? {};
    const replica = service.replicas.find((one) => one.phase === 'running' && (number ?? one.number) === one.number);
    if (replica === undefined) return told(state, `no container of ${service.name} runs`);
    const target = {
      kind: 'replica',
      service: service.name,
      number: replica.number,
      id: replica.id,
      name: replica.name,
    } as const;
    const index = service.replicas.length > 1 ? `--index ${replica.number} ` : '';
    return {state, effects: [{kind: 'exec', target, command: `${state.command} exec ${index}${service.name} sh`}]};
  },
  o: (state, {name}) => {
    const targets = portTargets(state, name);
    const [only] = targets;
    if (only === undefined) return told(state, `no port of ${name} is published`);
    if (targets.length > 1 || only.url === undefined)
      return {state: {...state, overlay: {kind: 'ports', service: name, selected: 0}}, effects: []};
    return {state, effects: [openUrl(only.url)]};
  },
  w: (state, {name}) => ({state: {...state, overlay: {kind: 'why', service: name, top: 0}}, effects: []}),
};

export function openUrl(url: string): UiEffect {
  return {kind: 'openUrl', url, command: `xdg-open ${url}`};
}

function commandOn(kind: 'restart' | 'stop' | 'start', {command}: UiState, {name}: ServiceState): UiEffect {
  const target: Target = {kind: 'service', service: name};
  return {kind, target, command: `${command} ${kind} ${name}`};
}

function asked(state: UiState, {name, replicas}: ServiceState, effect: UiEffect): KeyResult {
  const verb = effect.kind === 'stop' ? 'Stop' : 'Restart';
  const running = replicas.filter((replica) => isUp(replica) || replica.phase === 'restarting');
  const all = running.length > 1 ? `all ${running.length} containers of ` : '';
  const names = running.map((replica) => replica.name);
  const shown = names.length > 6 ? [...names.slice(0, 5), `and ${names.length - 5} more`] : names;
  return {
    state: {...state, overlay: {kind: 'confirm', question: `${verb} ${all}${name}?`, details: shown, effect}},
    effects: [],
  };
}

function copied(state: UiState): KeyResult {
  const command = state.action?.command;
  if (command === undefined) return told(state, 'nothing was done yet: there is no command to copy');
  return {state, effects: [{kind: 'copy', text: command}]};
}

/** A line for the person, until the next key. */
function told(state: UiState, hint: string): KeyResult {
  return {state: {...state, hint}, effects: []};
}
