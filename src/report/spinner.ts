const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** What stands before something that goes on; another one with each step of time. */
export function spinner(step: number): string {
  return frames[step % frames.length] ?? '·';
}
