import type {ImageProgress} from '../api/types/image.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {toTscomposeError} from '../base/errors.ts';
import type {Notice} from '../plan/action.ts';
import {imageKey} from '../plan/image-key.ts';
import {createTransferDetail} from '../report/transfer-totals.ts';
import type {ImageWorkOptions} from './image-work.ts';
import type {PullNode} from './run.ts';
import {isNewNotice} from './work-memory.ts';

/** Answers why the image could not be pulled where that is no failure: it is used as it is, or will be built. */
export async function pullImage(node: PullNode, options: ImageWorkOptions): Promise<Notice | undefined> {
  const {engine, memory, report, signal, registryAuth} = options;
  const {image, platform, optional, orBuild} = node.action;
  try {
    const progress = createTransferDetail((detail) => report({kind: 'nodeProgress', node, detail}));
    const warn = ({message, hint}: Diagnostic) => {
      if (isNewNotice(memory, message))
        report({kind: 'notice', notice: {level: 'warning', message, ...(hint !== undefined && {hint})}});
    };
    const authconfig = await registryAuth?.(image, warn);
    const lines: AsyncIterable<ImageProgress> = await engine.pull(withTag(image), {
      abortSignal: signal,
      authconfig,
      platform,
    });
    for await (const line of lines) progress(line);
    memory.pulled.add(imageKey(image, platform));
    return undefined;
  } catch (error) {
    if (signal.aborted || (!optional && !orBuild)) throw error;
    const {message} = toTscomposeError(error, `cannot pull image "${image}"`);
    if (orBuild) {
      memory.unpullable.add(image);
      return {level: 'note', message: `${message}; image "${image}" is built`};
    }
    memory.pulled.add(imageKey(image, platform));
    return {level: 'warning', message: `${message}; image "${image}" is used as it was built`};
  }
}

/** A name without a tag means "latest": to an engine it would mean every tag. */
function withTag(image: string): string {
  return /[:@]/.test(image.slice(image.lastIndexOf('/') + 1)) ? image : `${image}:latest`;
}
