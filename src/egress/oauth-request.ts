/**
 * Promises: requests of oauth4webapi over our own transport, with what it throws for answers of the other side as values.
 */
import { allowInsecureRequests, customFetch, OperationProcessingError, ResponseBodyError } from 'oauth4webapi';
import { oauthFailure, RequestFailure } from './failure.ts';
import type { Connection, Post } from './post.ts';

/** Options of its functions, such as `clientCredentialsGrantRequest`. */
export function transportOptions(post: Post, connection: Connection): TransportOptions {
  return {
    // Which URLs may be asked is decided by the transport, by the rules of the policy.
    // oxlint-disable-next-line typescript/no-deprecated -- the mark means "think twice": http is for loopback, and checked in post.ts
    [allowInsecureRequests]: true,
    [customFetch]: async (url, { headers, body }) => {
      const answer = await post({ url, headers: { ...headers }, body: body.toString() }, connection);
      if (answer instanceof RequestFailure) throw new RequestFailed(answer);
      // Other headers say nothing that counts; a challenge would hide the error that the body names.
      return new Response(answer.body, { status: answer.status, headers: { 'content-type': answer.contentType } });
    },
  };
}

export interface TransportOptions {
  // oxlint-disable-next-line typescript/no-deprecated -- as above
  readonly [allowInsecureRequests]: true;
  readonly [customFetch]: (
    url: string,
    options: { readonly headers: Readonly<Record<string, string>>; readonly body: URLSearchParams },
  ) => Promise<Response>;
}

/** How the transport tells the library, which takes nothing but a response. */
class RequestFailed extends Error {
  readonly failure: RequestFailure;

  constructor(failure: RequestFailure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** Throws only what is a fault of ours. */
export async function asValue<Value>(request: () => Promise<Value>): Promise<Value | RequestFailure> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof RequestFailed) return error.failure;
    if (error instanceof ResponseBodyError) return oauthFailure(error.error);
    if (error instanceof OperationProcessingError) return new RequestFailure('answer_malformed');
    throw error;
  }
}
