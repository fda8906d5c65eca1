/**
 * Keeps back what is written to standard error (warnings of Node, of libraries) until disposed: on the screen it would
 * only be between the lines, and gone with it.
 */
export function holdErrorOutput(): Disposable {
  const {stderr} = process;
  const write = stderr.write;
  const held: string[] = [];
  const warnings = process.listeners('warning');
  const onWarning = ({name, message}: Error): void => void held.push(`${name}: ${message}\n`);
  // Node's own listener writes past the stream.
  process.removeAllListeners('warning');
  process.on('warning', onWarning);
  stderr.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown): boolean => {
    held.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') setImmediate(callback as () => void);
    return true;
  }) as typeof stderr.write;
  return {
    [Symbol.dispose]() {
      stderr.write = write;
      process.off('warning', onWarning);
      for (const listener of warnings) process.on('warning', listener);
      if (held.length > 0) stderr.write(held.join(''));
    },
  };
}
