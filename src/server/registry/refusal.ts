/**
 * What a registry refuses requests with (OCI distribution specification, "Error Codes", and those that the reference
 * implementation adds), with the status it travels as.
 */
const registryErrors = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
} as const;

export type RegistryErrorCode = keyof typeof registryErrors;

interface RefusalOptions {
  /** For the client's program. */
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it is not the code's own. */
  readonly status?: number;
}

/** A request that a registry does not fulfil, and why. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RegistryErrorCode;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: RegistryErrorCode, message: string, {detail, headers = {}, status}: RefusalOptions = {}) {
    super(message);
    this.code = code;
    this.status = status ?? registryErrors[code];
    this.detail = detail;
    this.headers = headers;
  }
}
