import {randomUUID} from 'node:crypto';
import type {Message, MessageInput, MessageName} from '../../src/server/buildkit/messages.ts';
import type {BuildkitClient} from './buildkit-client.ts';

/** A build as buildx asks for it: what is to become of it first, then the frontend over the bridge, then the end. */
export interface BridgeBuild {
  /** Asks the Dockerfile frontend. */
  solve(request: MessageInput<'BridgeSolveRequest'>): Promise<Message<'BridgeSolveResponse'>>;
  /** Whether a result is there. */
  evaluate(ref: string): Promise<void>;
  /** Says that the result is what is wanted; answers what is told of it in the end. */
  finish(ref: string): Promise<Readonly<Record<string, string>>>;
}

export function beginBridgeBuild(
  {caller}: BuildkitClient,
  session: string,
  exporters: readonly MessageInput<'Exporter'>[],
): BridgeBuild {
  const ref = randomUUID();
  const asked = caller.call(
    '/moby.buildkit.v1.Control/Solve',
    {request: 'SolveRequest', answer: 'SolveResponse'},
    {ref, session, exporters},
  );
  asked.catch(() => {});
  const call = async <Q extends MessageName, A extends MessageName>(
    name: string,
    types: {readonly request: Q; readonly answer: A},
    message: MessageInput<Q>,
  ): Promise<Message<A>> => {
    const method = `/moby.buildkit.v1.frontend.LLBBridge/${name}`;
    const {answers, send, end} = caller.open(method, types, {'buildkit-controlapi-buildid': ref});
    await send(message);
    end();
    const all: Message<A>[] = [];
    for await (const answer of answers) all.push(answer);
    const [only] = all;
    if (only === undefined) throw new Error(`${name} answered nothing`);
    return only;
  };
  return {
    solve: (request) =>
      call(
        'Solve',
        {request: 'BridgeSolveRequest', answer: 'BridgeSolveResponse'},
        {
          frontend: 'dockerfile.v0',
          ...request,
        },
      ),
    async evaluate(result) {
      await call('Evaluate', {request: 'EvaluateRequest', answer: 'EvaluateResponse'}, {ref: result});
    },
    async finish(result) {
      await call('Return', {request: 'ReturnRequest', answer: 'ReturnResponse'}, {result: {refDeprecated: result}});
      return (await asked).exporterResponse;
    },
  };
}
