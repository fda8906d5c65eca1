import {epochTime} from '../epoch.ts';
import type {DraftedLine, StageDraft} from '../plan/draft.ts';
import type {BuildConfig, HistoryEntry} from '../types.ts';

/** Which step a layer of the image came from, lowest first. */
export interface ImageLayers {
  readonly diffIds: readonly string[];
  /** When each step's layer was made. */
  readonly created: ReadonlyMap<number, string>;
}

export interface ImageTextOptions extends ImageLayers {
  readonly labels: Readonly<Record<string, string>>;
  /** Further members of the configuration. */
  readonly more: Readonly<Record<string, string>>;
  /** For what has no time of its own. */
  readonly now: string;
  /** SOURCE_DATE_EPOCH: no time is later, and the image has this one. */
  readonly epoch: number | undefined;
}

const comment = 'buildkit.dockerfile.v0';

/** The image's configuration as BuildKit writes it. The same steps from the cache give the same text, and so the same image. */
export function imageText(draft: StageDraft, {diffIds, created, labels, now, epoch, more}: ImageTextOptions): string {
  const {architecture, os, variant} = draft.base;
  const history = upTo(epoch, [...draft.base.history, ...timed(draft, created, now)]);
  const config = withLabels(draft.config, labels);
  return JSON.stringify({
    architecture,
    config,
    created: epoch === undefined ? (history.at(-1)?.created ?? now) : epochTime(epoch),
    history,
    os,
    rootfs: {type: 'layers', diff_ids: diffIds},
    ...(variant === undefined ? {} : {variant}),
    ...(draft.author === undefined ? {} : {author: draft.author}),
    ...more,
  });
}

function withLabels(config: BuildConfig, labels: Readonly<Record<string, string>>): BuildConfig {
  return Object.keys(labels).length === 0 ? config : {...config, Labels: {...config.Labels, ...labels}};
}

/** As BuildKit has it for lines of images below, too. */
function upTo(epoch: number | undefined, history: readonly HistoryEntry[]): readonly HistoryEntry[] {
  if (epoch === undefined) return history;
  const isEarlier = (time: string | undefined) => time !== undefined && Date.parse(time) <= epoch * 1000;
  return history.map((entry) => (isEarlier(entry.created) ? entry : {...entry, created: epochTime(epoch)}));
}

/** A line without a layer has the time of the one before it; those before the first layer that of the first. */
function timed(draft: StageDraft, created: ReadonlyMap<number, string>, now: string): readonly HistoryEntry[] {
  const timeOf = ({step}: DraftedLine): string | undefined => (step === undefined ? undefined : created.get(step));
  const first = draft.lines.map(timeOf).find((time) => time !== undefined);
  let last = first ?? draft.base.history.at(-1)?.created ?? now;
  return draft.lines.map((line) => {
    last = timeOf(line) ?? last;
    return {
      created: last,
      created_by: line.text,
      comment,
      ...(line.step === undefined ? {empty_layer: true} : {}),
    };
  });
}
