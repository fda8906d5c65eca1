/** The flags of `commit` and `engine commit`: Docker's. */
export const commitFlags = {
  author: {short: 'a', value: 'TEXT', summary: 'who made the image'},
  change: {
    short: 'c',
    value: 'INSTRUCTION',
    repeat: true,
    summary: 'line of a Dockerfile that changes the image: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, …',
  },
  message: {short: 'm', value: 'TEXT', summary: 'a line for the history of the image'},
  pause: {short: 'p', default: true, summary: 'stop the processes of the container meanwhile'},
} as const;
