/** Samples of several containers, the newest of each together. */
export function sumRings(rings: readonly (readonly number[])[]): readonly number[] {
  const [first] = rings;
  if (first === undefined || rings.length === 1) return first ?? [];
  const length = Math.max(...rings.map((ring) => ring.length));
  return Array.from({length}, (_, index) =>
    rings.reduce((sum, ring) => sum + (ring[ring.length - length + index] ?? 0), 0),
  );
}

/** Without a limit on each there is none on all. */
export function sumLimits(limits: readonly (number | undefined)[]): number | undefined {
  const known = limits.flatMap((limit) => limit ?? []);
  return known.length < limits.length || known.length === 0 ? undefined : known.reduce((sum, limit) => sum + limit, 0);
}
