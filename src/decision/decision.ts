/**
 * Promises: the answer to one request. An Allow cannot be made by an object literal (its private field makes the class nominal),
 * only `authorizer/authorize.ts` constructs one (test/architecture.test.ts), and whatever is no Allow is answered as a refusal.
 */
import type { DenyReason, DenyStatus } from './deny-reason.ts';

/** A header to set: lower-case name, value in %x20-7E. */
export type Header = readonly [name: string, value: string];

/** Who called, from a verified token only. */
export interface Caller {
  /** Name of the issuer in the policy. */
  readonly issuer: string;
  readonly subject: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  readonly jti: string | undefined;
  readonly kid: string | undefined;
}

/** What a shadow rule would have said. */
export interface ShadowVerdict {
  readonly rule: string;
  readonly decision: 'allow' | 'deny';
  readonly reason: string;
}

/** What logs, metrics and dynamic metadata may know of a decision; unknown ones are undefined. */
export interface Told {
  /** Hash of the policy that decided. */
  readonly policy: string | undefined;
  readonly rule: string | undefined;
  /** Canonical path without query; undefined when it was refused. */
  readonly path: string | undefined;
  /** Canonical host without port; undefined when it was refused. */
  readonly host: string | undefined;
  readonly caller: Caller | undefined;
  readonly tokenCache: 'hit' | 'miss' | undefined;
  readonly shadow: readonly ShadowVerdict[];
}

/**
 * Shared by allows that say the same in everything that is written of them but the verdicts of shadow rules; whoever writes them may keep
 * the bytes here.
 */
export interface Encoding {
  /** It was written before. */
  isKnown: boolean;
  bytes: Uint8Array | undefined;
}

/** What an allow does to the request and its answer. */
export interface Changes extends Pick<Allow, 'setHeaders' | 'removeHeaders' | 'nonce'> {
  readonly encoding?: Encoding | undefined;
}

/** The request may pass. */
export class Allow {
  readonly #made = true;
  readonly reason: 'allowed' | 'allowed_public';
  readonly told: Told;
  /** Set on the upstream request, overwriting what the client sent. */
  readonly setHeaders: readonly Header[];
  /** Removed from the upstream request; shares no name with `setHeaders` (EA-12). */
  readonly removeHeaders: readonly string[];

  /** For `DPoP-Nonce` of the upstream's answer (RFC 9449 section 8.2); undefined: none. */
  readonly nonce: string | undefined;
  /** Undefined: nobody else says the same. */
  readonly encoding: Encoding | undefined;

  constructor(reason: 'allowed' | 'allowed_public', told: Told, changes: Changes) {
    this.reason = reason;
    this.told = told;
    this.setHeaders = changes.setHeaders;
    this.removeHeaders = changes.removeHeaders;
    this.nonce = changes.nonce;
    this.encoding = changes.encoding;
  }

  /** True only for what this constructor made. */
  static isAllow(value: unknown): value is Allow {
    return typeof value === 'object' && value !== null && #made in value;
  }
}

/** The request is refused. */
export interface Deny {
  readonly reason: DenyReason;
  readonly status: DenyStatus;
  readonly told: Told;
  /** Values of `WWW-Authenticate`, one header entry each; built from policy and fixed texts only (EA-30). */
  readonly challenges: readonly string[];
  /** For `DPoP-Nonce`; undefined: none. */
  readonly nonce: string | undefined;
  /** For the operator only; see Stop.detail. */
  readonly detail: string | undefined;
  /** Scopes of the rule that the token lacks, for the log. */
  readonly missingScopes: readonly string[];
}

/** An answer of ours with status 200: the RFC 9728 document. The upstream is not called. */
export interface MetadataDocument {
  readonly reason: 'resource_metadata';
  readonly told: Told;
  /** JSON text. */
  readonly body: string;
}

export type Decision = Allow | Deny | MetadataDocument;
