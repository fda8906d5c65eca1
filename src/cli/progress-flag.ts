/** How progress is shown: of the whole, and of commands that have it in Docker, too. */
export const progressFlag = {
  value: 'TYPE',
  choices: ['auto', 'tty', 'plain', 'json', 'quiet'],
  summary: 'how progress is shown',
} as const;
