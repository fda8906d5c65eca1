import type {ContainerNews, Containers, WatchedContainer} from '../../../src/watch/session/containers.ts';

/** Containers as their events tell of them, told by the test. */
export interface MemoryContainers extends Containers {
  came(container: WatchedContainer): void;
  tell(kind: 'started' | 'died' | 'gone', id: string): void;
  health(id: string, status: 'healthy' | 'unhealthy'): void;
}

export function memoryContainers(): MemoryContainers {
  const known = new Map<string, WatchedContainer>();
  const listeners = new Set<(news: ContainerNews) => void>();
  const emit = (news: ContainerNews): void => {
    for (const listener of [...listeners]) listener(news);
  };
  const find = (id: string): WatchedContainer => {
    const container = known.get(id);
    if (container === undefined) throw new Error(`no container ${id}`);
    return container;
  };
  return {
    of: (service) => [...known.values()].filter((container) => container.service === service),
    count: () => known.size,
    subscribe(listener) {
      listeners.add(listener);
      for (const container of known.values()) listener({kind: 'came', container});
      return {[Symbol.dispose]: () => void listeners.delete(listener)};
    },
    ended: new Promise(() => {}),
    came(container) {
      known.set(container.id, container);
      emit({kind: 'came', container});
    },
    tell(kind, id) {
      const container = {...find(id), ...(kind === 'gone' ? {} : {running: kind === 'started'})};
      if (kind === 'gone') known.delete(id);
      else known.set(id, container);
      emit({kind, container});
    },
    health: (id, status) => emit({kind: 'health', container: find(id), status}),
  };
}
