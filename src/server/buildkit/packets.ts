/** Types of packets (`wire.proto` of fsutil). */
export const packets = {stat: 0, request: 1, data: 2, end: 3, error: 4} as const;
