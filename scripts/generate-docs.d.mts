/** Path of each generated page, and what it must say. */
export const pages: Readonly<Record<string, () => Promise<string>>>;
