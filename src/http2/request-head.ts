/**
 * Promises: the header section of a request, checked as RFC 9113 section 8.3 wants, of which only those fields are kept that a gRPC server
 * looks at.
 */
import type { Field } from './field.ts';

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly contentType: string | undefined;
  readonly timeout: string | undefined;
  /** `grpc-encoding`. */
  readonly encoding: string | undefined;
  readonly contentLength: number | undefined;
}

/** Envoy lets through 60 KiB of a request's headers, but those of a check are in its message. */
export const maxHeadBytes = 32_768;

/** Collects one header section. */
export class HeadReader {
  /** Undefined: nothing is wrong so far. */
  problem: 'malformed' | 'too_large' | undefined;
  #bytes = 0;
  #hasRegular = false;
  #hasScheme = false;
  #hasAuthority = false;
  #method: string | undefined;
  #path: string | undefined;
  #contentType: string | undefined;
  #timeout: string | undefined;
  #encoding: string | undefined;
  #contentLength: string | undefined;

  readonly visit = (field: Field): void => {
    this.#bytes += field.bytes;
    if (this.#bytes > maxHeadBytes) this.problem ??= 'too_large';
    else if (!field.isSound || !(field.isPseudo ? this.#takePseudo(field) : this.#takeRegular(field))) {
      this.problem ??= 'malformed';
    }
  };

  /** Undefined: it is no request. */
  head(): RequestHead | undefined {
    const length = this.#contentLength;
    if (this.problem !== undefined || !this.#method || !this.#path || !this.#hasScheme) return undefined;
    if (length !== undefined && !/^\d{1,10}$/.test(length)) return undefined;
    return {
      method: this.#method,
      path: this.#path,
      contentType: this.#contentType,
      timeout: this.#timeout,
      encoding: this.#encoding,
      contentLength: length === undefined ? undefined : Number(length),
    };
  }

  /** Once each, before all others, and no others. */
  #takePseudo({ name, value }: Field): boolean {
    if (this.#hasRegular) return false;
    let isFirst = false;
    if (name === ':method') {
      isFirst = this.#method === undefined;
      this.#method = value;
    } else if (name === ':path') {
      isFirst = this.#path === undefined;
      this.#path = value;
    } else if (name === ':scheme') {
      isFirst = !this.#hasScheme;
      this.#hasScheme = true;
    } else if (name === ':authority') {
      isFirst = !this.#hasAuthority;
      this.#hasAuthority = true;
    }
    return isFirst;
  }

  #takeRegular({ name, value }: Field): boolean {
    this.#hasRegular = true;
    let known: string | undefined;
    if (name === 'content-type') {
      known = this.#contentType;
      this.#contentType = value;
    } else if (name === 'grpc-timeout') {
      known = this.#timeout;
      this.#timeout = value;
    } else if (name === 'grpc-encoding') {
      known = this.#encoding;
      this.#encoding = value;
    } else if (name === 'content-length') {
      known = this.#contentLength;
      this.#contentLength = value;
    }
    return known === undefined;
  }
}

/** A trailer section has no pseudo-header fields (section 8.1). */
export function isTrailer({ isSound, isPseudo }: Field): boolean {
  return isSound && !isPseudo;
}
