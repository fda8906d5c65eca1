import type {Action, ActionKind, PlanNode} from '../plan/action.ts';

/** The thing that an action is about, under the name that it will keep. */
export interface Subject {
  readonly kind: 'network' | 'volume' | 'image' | 'container' | 'service';
  readonly name: string;
  /** Of a container. */
  readonly service?: string;
}

export function nodeSubject({action}: PlanNode): Subject {
  switch (action.kind) {
    case 'createNetwork':
    case 'removeNetwork':
      return {kind: 'network', name: action.name};
    case 'createVolume':
    case 'removeVolume':
      // One without a name is called by 64 digits, of which people know the first 12.
      return {kind: 'volume', name: /^[0-9a-f]{64}$/.test(action.name) ? action.name.slice(0, 12) : action.name};
    case 'pullImage':
      return {kind: 'image', name: pulledName(action)};
    case 'buildImage':
      return {kind: 'image', name: action.image};
    case 'removeImage':
      return {kind: 'image', name: action.name};
    case 'createContainer':
      return {kind: 'container', name: lastingName(action.name), service: action.service};
    case 'awaitCondition':
      return {kind: 'service', name: action.service};
    case 'renameContainer':
      return {kind: 'container', name: lastingName(action.name), service: action.container.service};
    default:
      return {kind: 'container', name: lastingName(action.container.name), service: action.container.service};
  }
}

/** An image that is pulled; where a platform is stated, with it: another one may be pulled beside. */
export function pulledName({image, platform}: Pick<Action<'pullImage'>, 'image' | 'platform'>): string {
  return platform === undefined ? image : `${image} for ${platform}`;
}

/** A container that is to replace another has a temporary name: 12 digits and an underscore before its own. */
function lastingName(name: string): string {
  return name.replace(/^[0-9a-f]{12}_/, '');
}

const words: Readonly<Record<ActionKind, {readonly doing: string; readonly done: string}>> = {
  createNetwork: {doing: 'creating', done: 'created'},
  removeNetwork: {doing: 'removing', done: 'removed'},
  createVolume: {doing: 'creating', done: 'created'},
  removeVolume: {doing: 'removing', done: 'removed'},
  pullImage: {doing: 'pulling', done: 'pulled'},
  buildImage: {doing: 'building', done: 'built'},
  removeImage: {doing: 'removing', done: 'removed'},
  createContainer: {doing: 'creating', done: 'created'},
  startContainer: {doing: 'starting', done: 'started'},
  stopContainer: {doing: 'stopping', done: 'stopped'},
  restartContainer: {doing: 'restarting', done: 'restarted'},
  killContainer: {doing: 'killing', done: 'killed'},
  pauseContainer: {doing: 'pausing', done: 'paused'},
  unpauseContainer: {doing: 'unpausing', done: 'unpaused'},
  removeContainer: {doing: 'removing', done: 'removed'},
  renameContainer: {doing: 'recreating', done: 'recreated'},
  runHook: {doing: 'running a hook', done: 'hook done'},
  awaitCondition: {doing: 'waiting', done: 'ready'},
};

/** The words for an action while it goes on and once it is done. */
export function nodeStatus({action}: {readonly action: Action}): {readonly doing: string; readonly done: string} {
  if (action.kind === 'createContainer' && action.replaces !== undefined)
    return {doing: 'recreating', done: 'recreating'};
  if (action.kind === 'runHook') {
    const hook = `${action.hook} hook ${action.number}`;
    return {doing: `running ${hook}`, done: `${hook} done`};
  }
  if (action.kind === 'killContainer' && action.signal !== undefined)
    return {doing: `sending ${action.signal}`, done: `got ${action.signal}`};
  return words[action.kind];
}
