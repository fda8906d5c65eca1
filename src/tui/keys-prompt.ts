import {graphemes} from '../base/graphemes.ts';
import {withNewestMatch} from './keys-log.ts';
import type {LogReader} from './log-store.ts';
import type {Key, PromptState, UiState} from './types.ts';

/** Opens the line for a search or a filter, with the text that is in force. */
export function withPrompt(state: UiState, kind: PromptState['kind']): UiState {
  const text = kind === 'search' ? state.log.search : state.log.filter;
  return {...state, prompt: {kind, text, cursor: graphemes(text).length}};
}

/** Every key changes what is searched at once; escape takes it back, enter leaves it. */
export function promptKey(state: UiState, prompt: PromptState, key: Key, logs: LogReader): UiState {
  if (key.name === 'escape') return {...withText(state, {...prompt, text: '', cursor: 0}, logs), prompt: undefined};
  if (key.name === 'enter') return {...state, prompt: undefined};
  const edited = editedPrompt(prompt, key);
  return edited === undefined ? state : withText(state, edited, logs);
}

function withText(state: UiState, prompt: PromptState, logs: LogReader): UiState {
  const {text} = prompt;
  if (text === (prompt.kind === 'search' ? state.log.search : state.log.filter)) return {...state, prompt};
  if (prompt.kind === 'filter')
    return {...state, prompt, log: {...state.log, filter: text, position: 'follow', match: undefined}};
  const searched = {...state, prompt, log: {...state.log, search: text, match: undefined}};
  return text === '' ? {...searched, log: {...searched.log, position: 'follow'}} : withNewestMatch(searched, logs);
}

function editedPrompt(prompt: PromptState, key: Key): PromptState | undefined {
  const pieces = graphemes(prompt.text);
  const {cursor} = prompt;
  const edit = (kept: readonly string[], at: number): PromptState => ({...prompt, text: kept.join(''), cursor: at});
  const before = pieces.slice(0, cursor);
  const behind = pieces.slice(cursor);
  if (key.ctrl) {
    switch (key.name) {
      case 'a':
        return {...prompt, cursor: 0};
      case 'e':
        return {...prompt, cursor: pieces.length};
      case 'u':
        return edit(behind, 0);
      case 'k':
        return edit(before, cursor);
      case 'w': {
        const kept = graphemes(before.join('').replace(/\S+\s*$/, ''));
        return edit([...kept, ...behind], kept.length);
      }
      default:
        return undefined;
    }
  }
  switch (key.name) {
    case 'left':
      return {...prompt, cursor: Math.max(0, cursor - 1)};
    case 'right':
      return {...prompt, cursor: Math.min(pieces.length, cursor + 1)};
    case 'home':
      return {...prompt, cursor: 0};
    case 'end':
      return {...prompt, cursor: pieces.length};
    case 'backspace':
      return cursor === 0 ? undefined : edit([...before.slice(0, -1), ...behind], cursor - 1);
    case 'delete':
      return edit([...before, ...behind.slice(1)], cursor);
  }
  // A paste may have line feeds: a search is one line.
  const typed = key.meta ? '' : key.text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ');
  if (typed === '' || (key.name !== 'paste' && typed.trim() === '' && key.name !== 'space' && key.name !== ' '))
    return undefined;
  const text = before.join('') + typed;
  return {...prompt, text: text + behind.join(''), cursor: graphemes(text).length};
}
