import {mapLimited} from '../../base/concurrency.ts';
import type {Docker} from '../../client/docker.ts';
import {asciiGlyphs, unicodeGlyphs} from '../../tui/glyphs.ts';
import {initialUiState, reduceUi} from '../../tui/reduce.ts';
import {renderLines} from '../../tui/render.ts';
import type {UiEventContent, UiState} from '../../tui/types.ts';
import {whyLines} from '../../tui/why.ts';
import type {CliContext} from '../context.ts';
import type {ProjectContainer} from '../project-containers.ts';
import {containerSnapshot} from '../ui/container-snapshot.ts';
import {restartHistory} from '../ui/restart-history.ts';
import {uiTheme} from '../ui/theme.ts';

const inspectsAtOnce = 8;

/**
 * `ps --why`: how each container is and how it came to that, as the terminal UI tells it: health with what the last probe
 * said, restarts with their causes as far as the engine's events go back.
 */
export async function describeWhy(
  context: CliContext,
  docker: Docker,
  {project, containers}: {readonly project: string; readonly containers: readonly ProjectContainer[]},
): Promise<string> {
  const {signal} = new AbortController();
  const now = context.now();
  const [inspected, runs] = await Promise.all([
    mapLimited(containers, inspectsAtOnce, ({id}) => docker.getContainer(id).inspect()),
    restartHistory(docker, project, {nowMs: now, signal}),
  ]);
  const events: readonly UiEventContent[] = [
    {kind: 'snapshot', containers: inspected.map(containerSnapshot)},
    {kind: 'history', runs},
  ];
  const start: UiState = initialUiState({project, command: 'tscompose', columns: 80, rows: 24});
  const state = events.reduce((next, event) => reduceUi(next, {time: now, ...event}), start);
  const theme = uiTheme(context, false);
  const utcOffsetMinutes = -new Date(now).getTimezoneOffset();
  const glyphs = theme.ascii ? asciiGlyphs : unicodeGlyphs;
  const blocks = state.services.map(({name}) => {
    const lines = whyLines({...{state, glyphs, now, utcOffsetMinutes}, columns: 80, rows: 24}, name);
    // A file or a program gets no looks at all, not even bold text.
    const rows =
      theme.color === 'none' ? lines.map((line) => line.map(({text}) => text).join('')) : renderLines(lines, theme);
    return rows.map((row) => `${row.trimEnd()}\n`).join('');
  });
  return blocks.join('\n');
}
