/** A term may start with the registry to ask: `localhost:5000/redis`. */
export function splitTerm(term: string): {readonly registry: string; readonly name: string} {
  const slash = term.indexOf('/');
  const first = slash < 0 ? term : term.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost';
  if (!isHost || first === 'docker.io' || first === 'index.docker.io') {
    return {registry: 'docker.io', name: isHost ? term.slice(slash + 1) : term};
  }
  return {registry: first, name: slash < 0 ? '' : term.slice(slash + 1)};
}
