import {composeLabels} from '../api/labels.ts';
import type {EndpointSettings} from '../api/types/container.ts';
import type {Lowering} from './lowering.ts';

/** How a container that is made for one command differs from a replica of its service. */
export interface OneOffSettings {
  readonly name: string;
  /** Tells it from others of the service, for a label. */
  readonly slug: string;
  /** It goes when it has ended. */
  readonly autoRemove: boolean;
  /** Something may be typed into it, by whoever attaches to it. */
  readonly interactive: boolean;
  /** It answers to the names that the service has on its networks. */
  readonly aliases: boolean;
}

/** The same lowering, but containers for one command are made as such. */
export function withOneOff(lowering: Lowering, settings: OneOffSettings): Lowering {
  const {slug, autoRemove, interactive} = settings;
  return {
    ...lowering,
    container(request) {
      const body = lowering.container(request);
      if (request.oneOff !== true) return body;
      const {[composeLabels.containerNumber]: _replica, ...labels} = body.Labels ?? {};
      return {
        ...body,
        Labels: {...labels, [composeLabels.oneOff]: 'True', [composeLabels.slug]: slug},
        HostConfig: {...body.HostConfig, AutoRemove: autoRemove},
        AttachStdin: interactive,
        OpenStdin: interactive,
        // As with "docker run -i": the end of what is typed is the end of its input.
        StdinOnce: interactive,
        NetworkingConfig: {EndpointsConfig: namedEndpoints(body.NetworkingConfig?.EndpointsConfig ?? {}, settings)},
      };
    },
  };
}

/** The first of the aliases is the name that a replica would have. */
function namedEndpoints(
  endpoints: Readonly<Record<string, EndpointSettings | null>>,
  {name, aliases}: OneOffSettings,
): Record<string, EndpointSettings | null> {
  return Object.fromEntries(
    Object.entries(endpoints).map(([network, endpoint]) => [
      network,
      {...endpoint, Aliases: aliases ? [name, ...(endpoint?.Aliases ?? []).slice(1)] : [name]},
    ]),
  );
}
