/** Makes the images that are missing and answers the paths of their archives by name; all images where none is named. */
export function ensureImages(names?: readonly string[], log?: (line: string) => void): Readonly<Record<string, string>>;
