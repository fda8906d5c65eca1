import type {PortInfo, UiState} from './types.ts';

export interface PortTarget {
  /** `0.0.0.0:8080 → 80/tcp`, with the container where there are several. */
  readonly text: string;
  /** Undefined for what no browser opens. */
  readonly url: string | undefined;
}

/** The published ports of a service; one that is bound on several addresses stands there once. */
export function portTargets({services}: UiState, service: string): readonly PortTarget[] {
  const replicas = services.find(({name}) => name === service)?.replicas ?? [];
  const targets = replicas.flatMap(({name, ports}) =>
    ports.flatMap((port) => {
      if (port.published === undefined) return [];
      const text = `${hostText(port.address)}:${port.published} -> ${port.target}/${port.protocol}`;
      const key = `${port.published}/${port.protocol}`;
      return [{key, text: replicas.length > 1 ? `${name}  ${text}` : text, url: urlOf(port)}];
    }),
  );
  return targets
    .filter((target, index) => targets.findIndex(({key}) => key === target.key) === index)
    .map(({text, url}) => ({text, url}));
}

function urlOf({address, published, target, protocol}: PortInfo): string | undefined {
  if (protocol !== 'tcp' || published === undefined || others.has(target)) return undefined;
  const scheme = target === 443 || target === 8443 ? 'https' : 'http';
  const everywhere = address === '0.0.0.0' || address === '::' || address === '' || address === '127.0.0.1';
  return `${scheme}://${everywhere ? 'localhost' : hostText(address)}:${published}/`;
}

/** Ports of databases, queues, mail and shells, which a browser has no word for. */
const others = new Set([
  22, 25, 53, 110, 143, 389, 465, 587, 993, 1433, 1521, 1883, 3306, 4222, 5432, 5672, 6379, 9092, 11211, 27017,
]);

function hostText(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
